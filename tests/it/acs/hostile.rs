//! What hostile clients send to the device's door, at the real server, by the
//! numbers of the list of hostile inputs (A).

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::wire::{Wire, hear};
use super::{inform, open_lab};
use crate::lab::Lab;

const ENVELOPE: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
     xmlns:c=\"urn:dslforum-org:cwmp-1-0\"><s:Body>";
const END: &str = "</s:Body></s:Envelope>";

fn around(body: &str) -> Vec<u8> {
    format!("{ENVELOPE}{body}{END}").into_bytes()
}

/// An Inform in which one text stands for another.
fn changed(serial: &str, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(inform(serial).1).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to).into_bytes()
}

async fn status(at: SocketAddr, body: &[u8]) -> u16 {
    Wire::connect(at).await.post(body, &[]).await.status
}

/// Others are served as before.
async fn serves(at: SocketAddr) {
    assert_eq!(status(at, &inform("FINE").1).await, 200);
}

/// A session in which the first request of the ACS is out.
async fn asked(at: SocketAddr, serial: &str) -> Wire {
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.post(&inform(serial).1, &[]).await.status, 200);
    assert_eq!(wire.post(b"", &[]).await.status, 200);
    wire
}

fn with_doctype(doctype: &str) -> Vec<u8> {
    let text = String::from_utf8(inform("DTD").1).unwrap();
    let (declaration, rest) = text.split_once("?>").unwrap();
    format!("{declaration}?>{doctype}{rest}").into_bytes()
}

#[tokio::test]
async fn a01_a_billion_laughs_are_refused() {
    let (_lab, at) = open_lab().await;
    let mut entities = String::from("<!ENTITY l0 \"lol\">");
    for level in 1..10 {
        let below = format!("&l{};", level - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY l{level} \"{below}\">"));
    }
    let body = with_doctype(&format!("<!DOCTYPE l [{entities}]>"));
    assert_eq!(status(at, &body).await, 400);
    serves(at).await;
}

#[tokio::test]
async fn a02_an_entity_blown_up_by_its_square_is_refused() {
    let (_lab, at) = open_lab().await;
    let entity = "a".repeat(100_000);
    let body = with_doctype(&format!("<!DOCTYPE l [<!ENTITY a \"{entity}\">]>"));
    assert_eq!(status(at, &body).await, 400);
    serves(at).await;
}

#[tokio::test]
async fn a03_an_entity_of_a_file_is_refused_and_the_file_is_nowhere() {
    let (lab, at) = open_lab().await;
    let secret = lab.folder().join("secret");
    std::fs::write(&secret, "CANARY").unwrap();
    let doctype =
        format!("<!DOCTYPE x [<!ENTITY f SYSTEM \"file://{}\">]>", secret.to_str().unwrap());
    let mut body = String::from_utf8(with_doctype(&doctype)).unwrap();
    body = body.replace("SimGateway", "&f;");
    assert_eq!(status(at, body.as_bytes()).await, 400);
    // Without its declaration it is a text like any other.
    let bare = changed("A3", "SimGateway", "&f;");
    assert_eq!(status(at, &bare).await, 200);
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    assert!(!devices.to_string().contains("CANARY"));
}

/// A listener that must never be called.
async fn trap() -> (tokio::net::TcpListener, SocketAddr) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// Whether nobody has called: a caller would wait in the backlog before the
/// answer to what made him call.
async fn is_quiet(listener: &tokio::net::TcpListener) -> bool {
    tokio::select! {
        biased;
        _ = listener.accept() => false,
        () = std::future::ready(()) => true,
    }
}

#[tokio::test]
async fn a04_an_entity_of_the_network_is_refused_and_nothing_is_fetched() {
    let (_lab, at) = open_lab().await;
    let (listener, trap) = trap().await;
    for doctype in [
        format!("<!DOCTYPE x [<!ENTITY f SYSTEM \"http://{trap}/x\">]>"),
        format!("<!DOCTYPE x [<!ENTITY % d SYSTEM \"http://{trap}/x.dtd\">%d;]>"),
    ] {
        assert_eq!(status(at, &with_doctype(&doctype)).await, 400);
    }
    serves(at).await;
    assert!(is_quiet(&listener).await);
}

#[tokio::test]
async fn a05_an_external_document_type_is_refused_and_nothing_is_fetched() {
    let (_lab, at) = open_lab().await;
    let (listener, trap) = trap().await;
    let body = with_doctype(&format!("<!DOCTYPE Envelope SYSTEM \"http://{trap}/x.dtd\">"));
    assert_eq!(status(at, &body).await, 400);
    serves(at).await;
    assert!(is_quiet(&listener).await);
}

#[tokio::test]
async fn a06_ten_thousand_elements_inside_each_other_are_refused() {
    let (_lab, at) = open_lab().await;
    assert_eq!(status(at, &around(&"<a>".repeat(10_000))).await, 400);
    serves(at).await;
}

#[tokio::test]
async fn a07_a_hundred_thousand_attributes_are_refused() {
    let (_lab, at) = open_lab().await;
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=\"\"")).collect();
    assert_eq!(status(at, &around(&format!("<c:X{attributes}/>"))).await, 400);
    serves(at).await;
}

#[tokio::test]
async fn a08_a_gigabyte_that_is_announced_is_refused_before_it_is_read() {
    let (_lab, at) = open_lab().await;
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n";
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.send(head).await.status, 413);
    serves(at).await;
}

#[tokio::test]
async fn a09_chunks_without_end_are_cut_at_the_limit() {
    let lab = Lab::with(&["cwmp.auth=open", "cwmp.max_body=65536"]).await;
    let at = lab.addresses().cwmp.unwrap();
    let mut body = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..1000 {
        body.extend_from_slice(b"400\r\n");
        body.extend_from_slice(&[b' '; 0x400]);
        body.extend_from_slice(b"\r\n");
    }
    let heard = hear(at, &body).await;
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 413"), "{heard}");
    serves(at).await;
}

fn packed(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let body = match encoding {
        "gzip" => {
            let mut writer = GzEncoder::new(Vec::new(), Compression::best());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        _ => {
            let mut writer = ZlibEncoder::new(Vec::new(), Compression::best());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
    };
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

#[tokio::test]
async fn a10_packed_bodies_are_taken_and_bombs_are_not() {
    let (_lab, at) = open_lab().await;
    for encoding in ["gzip", "deflate"] {
        let good = packed(encoding, &inform("A10").1);
        assert_eq!(Wire::connect(at).await.send(&good).await.status, 200, "{encoding}");
        let bomb = packed(encoding, &vec![b' '; 32 << 20]);
        assert!(bomb.len() < 64 << 10);
        assert_eq!(Wire::connect(at).await.send(&bomb).await.status, 413, "{encoding}");
        let mut broken = packed(encoding, &inform("A10").1);
        let last = broken.len() - 20;
        broken[last] ^= 0xff;
        assert_eq!(Wire::connect(at).await.send(&broken).await.status, 400, "{encoding}");
    }
    let unknown =
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(Wire::connect(at).await.send(unknown).await.status, 400);
    serves(at).await;
}

#[tokio::test]
async fn a11_charsets_that_lie_are_read_or_refused() {
    let (_lab, at) = open_lab().await;
    let (_, plain) = inform("A11");
    let wide: Vec<u8> = String::from_utf8(plain.clone())
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let latin = changed("A11", "encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"");
    let seven = changed("A11", "encoding=\"UTF-8\"", "encoding=\"UTF-7\"");
    for body in [&plain, &wide, &latin, &seven] {
        for charset in ["utf-8", "utf-16", "utf-16le", "utf-7", "ebcdic-cp-us", "iso-8859-1", "x"] {
            let content = format!("text/xml; charset={charset}");
            let head = format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {content}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let bytes = [head.as_bytes(), body].concat();
            let answer = Wire::connect(at).await.send(&bytes).await;
            assert!(matches!(answer.status, 200 | 400), "{charset}: {}", answer.status);
        }
    }
    serves(at).await;
}

#[tokio::test]
async fn a12_characters_without_a_right_to_be_there_are_refused_or_escaped() {
    let (lab, at) = open_lab().await;
    for (serial, right) in [
        ("A&#0;B", 200),
        ("A\u{202e}B", 200),
        ("A\u{200b}C", 200),
        ("A&#xD800;B", 200),
        ("A&#9;B", 400),
        ("A\u{7f}B", 400),
    ] {
        assert_eq!(status(at, &changed("A12", "A12", serial)).await, right, "{serial:?}");
    }
    let mut overlong = inform("A12").1;
    let place = overlong.windows(3).position(|window| window == b"A12").unwrap();
    overlong.splice(place..place + 3, [b'A', 0xc0, 0xaf, b'B']);
    assert!(matches!(status(at, &overlong).await, 200 | 400));
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    let ids = devices["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    for id in ids {
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
    }
}

#[tokio::test]
async fn a13_the_namespace_of_the_message_is_the_one_that_is_answered() {
    let (_lab, at) = open_lab().await;
    let text = String::from_utf8(inform("A13").1).unwrap();
    let own = text.split("urn:dslforum-org:cwmp-").nth(1).unwrap().split('"').next().unwrap();
    for version in ["1-0", "1-1", "1-2", "1-3", "1-4"] {
        let body = text.replace(&format!("cwmp-{own}"), &format!("cwmp-{version}"));
        let answer = Wire::connect(at).await.post(body.as_bytes(), &[]).await;
        assert_eq!(answer.status, 200, "{version}");
        assert!(answer.text().contains(&format!("urn:dslforum-org:cwmp-{version}\"")), "{version}");
    }
    let unknown =
        text.replace("<cwmp:Inform", "<who:Inform").replace("/cwmp:Inform", "/who:Inform");
    assert_eq!(status(at, unknown.as_bytes()).await, 200, "an unknown prefix");
}

#[tokio::test]
async fn a14_two_messages_in_one_end_the_session() {
    let (_lab, at) = open_lab().await;
    let (_, whole) = inform("A14");
    let text = String::from_utf8(whole).unwrap();
    let body = text.find("Body>").map(|at| text[at + 5..].to_owned()).unwrap();
    let message = body.rsplit_once("</").unwrap().0.rsplit_once("</").unwrap().0.to_owned();
    let twice = text.replace(&message, &format!("{message}{message}"));
    assert_eq!(status(at, twice.as_bytes()).await, 400);
    for nested in ["<c:Inform/>", "<s:Body/>", "<c:RebootResponse/>"] {
        let mut wire = asked(at, "A14").await;
        let answer =
            around(&format!("<c:GetParameterNamesResponse>{nested}</c:GetParameterNamesResponse>"));
        let answer = if nested.contains("Reboot") {
            around(&format!("<c:GetParameterNamesResponse/>{nested}"))
        } else {
            answer
        };
        assert_eq!(wire.post(&answer, &[]).await.status, 400, "{nested}");
        // The session is over: what follows is answered by nothing more.
        assert_eq!(wire.post(b"", &[]).await.status, 204, "{nested}");
    }
}

#[tokio::test]
async fn a15_a_fault_with_a_list_without_end_is_capped() {
    let (_lab, at) = open_lab().await;
    let mut wire = asked(at, "A15").await;
    let one = "<SetParameterValuesFault><ParameterName>A</ParameterName>\
               <FaultCode>9007</FaultCode></SetParameterValuesFault>";
    let fault = format!(
        "<s:Fault><detail><c:Fault><FaultCode>9003</FaultCode>{}</c:Fault></detail></s:Fault>",
        one.repeat(20_000)
    );
    let answer = wire.post(&around(&fault), &[]).await;
    assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
    serves(at).await;
}

#[tokio::test]
async fn a16_numbers_that_lie_are_ignored() {
    let (_lab, at) = open_lab().await;
    for number in ["-1", "99999999999999999999", "1.5", "NaN"] {
        let body = changed("A16", "<RetryCount>0<", &format!("<RetryCount>{number}<"));
        assert_eq!(status(at, &body).await, 200, "{number}");
        let body = changed("A16", "<MaxEnvelopes>1<", &format!("<MaxEnvelopes>{number}<"));
        assert_eq!(status(at, &body).await, 200, "{number}");
    }
    let text = String::from_utf8(inform("A16").1).unwrap();
    let head = text.find("ParameterValueStruct[").unwrap() + "ParameterValueStruct[".len();
    let tail = head + text[head..].find(']').unwrap();
    for count in ["0", "-5", "4294967296", "1000000000"] {
        let lying = format!("{}{count}{}", &text[..head], &text[tail..]);
        assert_eq!(status(at, lying.as_bytes()).await, 200, "{count}");
    }
}

#[tokio::test]
async fn a17_markup_in_names_is_text_in_every_answer() {
    let (lab, at) = open_lab().await;
    let markup = "&lt;script&gt;alert(1)&lt;/script&gt;\"&gt;&lt;img onerror=x&gt;{{7*7}}${7*7}";
    let body =
        changed("A17", "<Manufacturer>Provost Simulation<", &format!("<Manufacturer>{markup}<"));
    let body = String::from_utf8(body)
        .unwrap()
        .replace("<ProductClass>SimGateway<", "<ProductClass>&lt;b&gt;{{x}}<");
    assert_eq!(status(at, body.as_bytes()).await, 200);
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    let device = &devices["items"][0];
    assert_eq!(device["id"], "00D09E-%3Cb%3E%7B%7Bx%7D%7D-A17");
    let shown = device.to_string();
    assert!(shown.contains("<script>alert(1)</script>") && shown.contains("${7*7}"), "{shown}");
    // It is JSON, and said to be nothing else.
    let northbound = lab.addresses().northbound.unwrap();
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    let request = format!(
        "GET /api/v1/devices HTTP/1.1\r\nHost: {northbound}\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        token.trim()
    );
    let heard = hear(northbound, request.as_bytes()).await.to_ascii_lowercase();
    assert!(heard.contains("content-type: application/json"), "{heard}");
    assert!(heard.contains("x-content-type-options: nosniff"), "{heard}");
}

#[tokio::test]
async fn a18_a_million_names_and_names_that_are_none_are_bounded() {
    let (_lab, at) = open_lab().await;
    let names = |names: &mut dyn Iterator<Item = String>| {
        let list: String =
            names.map(|name| format!("<P><Name>{name}</Name><Writable>0</Writable></P>")).collect();
        around(&format!(
            "<c:GetParameterNamesResponse><ParameterList>{list}</ParameterList></c:GetParameterNamesResponse>"
        ))
    };
    let long = "x".repeat(64 << 10);
    let odd = ["__proto__", "$where", ".", "..", "", "a b", long.as_str()];
    let mut wire = asked(at, "A18").await;
    let answer = wire.post(&names(&mut odd.iter().map(|name| (*name).to_owned())), &[]).await;
    assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
    let mut wire = asked(at, "A18").await;
    let many = names(&mut (0..1_000_000).map(|number| format!("D.{number}")));
    let answer = wire.post(&many, &[]).await;
    assert!(matches!(answer.status, 200 | 204 | 400 | 413), "{}", answer.status);
    serves(at).await;
}

#[tokio::test]
async fn a20_what_was_stored_of_odd_informs_is_read_back_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = || {
        let sets = ["cwmp.listen", "northbound.listen"].map(|door| format!("{door}=127.0.0.1:0"));
        let off = ["cwmp.tls_listen", "files.listen", "files.tls_listen"]
            .map(|door| format!("{door}=off"));
        let sets: Vec<String> =
            sets.into_iter().chain(off).chain(["cwmp.auth=open".to_owned()]).collect();
        provost::config::Config::read("test", "", &sets).unwrap()
    };
    let odd = [
        ("A20", "A20", "\u{202e}\u{feff}&#0;"),
        ("A20", "A20", "%2D%00-../../x"),
        ("A20", ">SimGateway<", "><"),
        ("A20", ">Provost Simulation<", "><![CDATA[]]]]><![CDATA[>]]><"),
        ("A20", "<RetryCount>0<", "<RetryCount>4294967295<"),
        ("A20", "0 BOOTSTRAP", "X 000000 \u{10ffff}"),
    ];
    let server = provost::server::Server::start(config(), folder.path()).await.unwrap();
    let at = server.addresses().cwmp.unwrap();
    for (serial, from, to) in odd {
        assert_eq!(status(at, &changed(serial, from, to)).await, 200, "{to:?}");
    }
    server.stop().await.unwrap();
    let server = provost::server::Server::start(config(), folder.path()).await.unwrap();
    let at = server.addresses().cwmp.unwrap();
    for (serial, from, to) in odd {
        assert_eq!(status(at, &changed(serial, from, to)).await, 200, "{to:?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a22_what_is_ambiguous_is_one_request_at_most() {
    let (_lab, at) = open_lab().await;
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n\r\n",
        "POST / HTTP/1.1\rHost: a\r\r",
    ] {
        let next = "POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
        let heard = hear(at, format!("{request}{next}").as_bytes()).await;
        assert!(heard.starts_with("HTTP/1.1 400"), "{request:?}: {heard}");
        assert_eq!(heard.matches("HTTP/1.1").count(), 1, "{request:?}: {heard}");
    }
    // With both lengths the chunks count, and nothing that follows is a request.
    let both = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\
                Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /next HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(hear(at, both.as_bytes()).await.matches("HTTP/1.1").count(), 1);
    serves(at).await;
}

#[tokio::test]
async fn a23_headers_without_end_are_refused() {
    let (_lab, at) = open_lab().await;
    let many = format!("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(1000));
    let heard = hear(at, many.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
    for header in [
        format!("X: {}", "x".repeat(10 << 20)),
        format!("Cookie: session={}", "x".repeat(1 << 20)),
        "a: b\r\n".repeat(10_000),
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n");
        let heard = hear(at, request.as_bytes()).await;
        // The answer may be lost when the server closes on a flood.
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 431"), "{heard}");
    }
    serves(at).await;
}

#[tokio::test]
async fn a24_headers_that_are_wrong_or_missing_are_never_an_error_of_ours() {
    let (_lab, at) = open_lab().await;
    let (_, body) = inform("A24");
    for headers in [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: text/xml\r\nContent-Type: text/html; charset=utf-8\r\n",
        "Content-Type: ;;;=\r\nSOAPAction: \"urn:x\"\r\n",
        "Content-Type: text/xml; charset=\r\n",
        "SOAPAction\u{3a}\r\nSOAPAction: y\r\n",
        "Content-Type: \u{ff}\r\n",
    ] {
        let head = format!(
            "POST /any/path?x=y HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = Wire::connect(at).await.send(&[head.as_bytes(), &body].concat()).await;
        assert_eq!(answer.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a25_dates_that_are_none_are_unknown() {
    let (_lab, at) = open_lab().await;
    let text = String::from_utf8(inform("A25").1).unwrap();
    let head = text.find("<CurrentTime>").unwrap() + "<CurrentTime>".len();
    let tail = head + text[head..].find('<').unwrap();
    for date in [
        "0000-00-00T00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-99-99T99:99:99Z",
        "99999999-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-01T00:00:00+25:00",
        "2026-01-01T24:00:00",
        "yesterday",
        "",
    ] {
        let body = format!("{}{date}{}", &text[..head], &text[tail..]);
        assert_eq!(status(at, body.as_bytes()).await, 200, "{date}");
    }
}
