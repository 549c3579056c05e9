//! No secret passes, whatever the message looks like; and what opens nothing
//! can be read.

use proptest::prelude::*;

use super::{MASK, MAX_MASKED, Masked, Reach, mask};
use crate::param::ParamPath;

const CANARY: &str = "c4n4ry";

/// As the schema judges: by how the name ends.
fn is_secret(path: &ParamPath) -> bool {
    let leaf = path.leaf().to_ascii_lowercase();
    leaf.ends_with("password") || leaf.ends_with("passphrase")
}

fn masked(body: &str) -> Masked {
    mask(body.as_bytes(), None, &is_secret)
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\"><soap:Header><cwmp:ID soap:mustUnderstand=\"1\">7</cwmp:ID>\
         </soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    )
}

fn values(structs: &str) -> String {
    envelope(&format!(
        "<cwmp:SetParameterValues><ParameterList>{structs}</ParameterList>\
         <ParameterKey>k7</ParameterKey></cwmp:SetParameterValues>"
    ))
}

fn pair(name: &str, value: &str) -> String {
    format!(
        "<ParameterValueStruct><Name>{name}</Name><Value xsi:type=\"xsd:string\">{value}</Value></ParameterValueStruct>"
    )
}

/// Messages with the canary in a secret place.
#[allow(clippy::too_many_lines, reason = "a list, one message after the other")]
fn planted() -> Vec<String> {
    let secret = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    vec![
        values(&pair(secret, CANARY)),
        values(&format!(
            "{}{}{}",
            pair("Device.A.B", "seen"),
            pair(secret, CANARY),
            pair("Device.A.C", "seen")
        )),
        // The value before its name.
        values(&format!(
            "<ParameterValueStruct><Value>{CANARY}</Value><Name>{secret}</Name></ParameterValueStruct>"
        )),
        // Spelled otherwise.
        values(&pair(secret, &format!("<![CDATA[{CANARY}]]>"))),
        values(&pair(secret, "&#99;4n4ry")),
        values(&pair(secret, &format!("<!-- {CANARY} -->{CANARY}"))),
        values(&pair("Device.Users.User.1.Pass<!-- x -->word", CANARY)),
        values(&pair("Device.Users.User.1.P&#97;ssword", CANARY)),
        values(&pair("<![CDATA[Device.Users.User.1.Password]]>", CANARY)),
        values(&pair("\n  Device.Users.User.1.PASSWORD  \n", CANARY)),
        values(&pair("Device.Users.User.1.Password.", CANARY)),
        // Nested otherwise.
        values(&format!(
            "<ParameterValueStruct><Name>{secret}<Value>{CANARY}</Value></Name></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>Device.A.B</Name><x><Name>{secret}</Name></x><Value>{CANARY}</Value></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>{secret}</Name><Name>Device.A.B</Name><Value>{CANARY}</Value></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>{secret}</Name><Value><Status>{CANARY}</Status></Value></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>{secret}</Name><Status>{CANARY}</Status></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>{secret}</Name></ParameterValueStruct><Value>{CANARY}</Value>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name></Name><Value>{CANARY}</Value></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><Name>no name</Name><Value>{CANARY}</Value></ParameterValueStruct>"
        )),
        values(&format!(
            "<ParameterValueStruct><NAME>{secret}</NAME><VALUE>{CANARY}</VALUE></ParameterValueStruct>"
        )),
        values(&format!("<Parameter name=\"{secret}\" value=\"{CANARY}\"/>")),
        values(&format!(
            "<ParameterValueStruct><Name>{secret}</Name><Valeu>{CANARY}</Valeu></ParameterValueStruct>"
        )),
        // What a fault says of a secret parameter may repeat its value.
        envelope(&format!(
            "<soap:Fault><detail><cwmp:Fault><SetParameterValuesFault><ParameterName>{secret}</ParameterName>\
             <FaultCode>9007</FaultCode><FaultString>{CANARY} is too short</FaultString></SetParameterValuesFault></cwmp:Fault></detail></soap:Fault>"
        )),
        // File servers, URLs, other credentials.
        envelope(&format!(
            "<cwmp:Download><CommandKey>k7</CommandKey><URL>http://h/x</URL><Username>{CANARY}</Username><Password>{CANARY}</Password></cwmp:Download>"
        )),
        envelope(&format!("<cwmp:Download><URL>http://u:{CANARY}@h/x</URL></cwmp:Download>")),
        envelope(&format!("<cwmp:Download><URL>http://u:a/{CANARY}@h/x</URL></cwmp:Download>")),
        envelope(&format!(
            "<cwmp:Download><URL>http://h/f/{}/x</URL></cwmp:Download>",
            CANARY.repeat(5)
        )),
        envelope(&format!("<cwmp:Download><URL>http://h/x?key={CANARY}</URL></cwmp:Download>")),
        values(&pair("Device.ManagementServer.URL", &format!("http://u:{CANARY}@h/"))),
        values(&pair("Device.ManagementServer.URL", &format!("http&#58;//u:{CANARY}@h/"))),
        envelope(&format!(
            "<cwmp:SetVouchers><VoucherList><Voucher>{CANARY}</Voucher></VoucherList></cwmp:SetVouchers>"
        )),
        envelope(&format!("<cwmp:X_Login><Pin>{CANARY}</Pin></cwmp:X_Login>")),
        envelope(&format!(
            "<cwmp:X_Login><Password><Status>{CANARY}</Status></Password></cwmp:X_Login>"
        )),
        // Around the message.
        format!("<!-- {CANARY} -->{}", envelope("<cwmp:RebootResponse/>")),
        format!("<?secret {CANARY}?>{}", envelope("<cwmp:RebootResponse/>")),
        format!("<!DOCTYPE x [<!ENTITY y \"{CANARY}\">]>{}", values(&pair("Device.A.B", "&y;"))),
        format!("{}{CANARY}", envelope("<cwmp:RebootResponse/>")),
        format!("password={CANARY}"),
        format!("{{\"password\": \"{CANARY}\"}}"),
        format!("GET /?p={CANARY} HTTP/1.1\r\nAuthorization: Basic {CANARY}\r\n\r\n"),
    ]
}

#[test]
fn a_planted_secret_shows_nowhere() {
    for message in planted() {
        let shown = masked(&message);
        assert!(!shown.text.contains(CANARY), "{message}\n\n{}", shown.text);
        assert!(!shown.text.contains("c4n4"), "{message}\n\n{}", shown.text);
    }
}

#[test]
fn a_planted_secret_shows_nowhere_at_every_cut_and_in_every_charset() {
    for message in planted() {
        for cut in 0..message.len() {
            let shown = mask(&message.as_bytes()[..cut], None, &is_secret);
            assert!(!shown.text.contains("c4n4"), "cut at {cut}: {message}\n\n{}", shown.text);
            assert!(shown.reach != Reach::Whole || cut + 10 > message.len(), "cut at {cut}");
        }
        let wide: Vec<u8> = message.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for charset in [None, Some("utf-8"), Some("iso-8859-1"), Some("nothing")] {
            for body in [message.as_bytes(), &wide] {
                let shown = mask(body, charset, &is_secret);
                assert!(!shown.text.contains(CANARY), "{charset:?} {}", shown.text);
            }
        }
    }
}

#[test]
fn a_planted_secret_shows_nowhere_when_a_byte_is_another() {
    for message in planted() {
        // The canary itself must stay what it is, and where it is: what turns a
        // secret's name into another's makes another message of it.
        let names = ["Pass", "Name", "NAME", "pass", "PASS", "P&#", "Voucher", "Pin", "Username"];
        for at in 0..message.len() {
            let spoilt = |by: u8| {
                let mut bytes = message.clone().into_bytes();
                bytes[at] = by;
                bytes
            };
            let near = &message.as_bytes()[at.saturating_sub(12)..(at + 12).min(message.len())];
            let near = String::from_utf8_lossy(near);
            if names.iter().any(|name| near.contains(name)) || near.contains("word") {
                continue;
            }
            if !message.contains("Passphrase")
                || near.contains("phrase")
                || near.contains("Security")
            {
                continue;
            }
            for by in [0, b'<', b'>', b'&', b'"', b' ', 0xff] {
                let shown = mask(&spoilt(by), None, &is_secret);
                assert!(!shown.text.contains(CANARY), "{at} {by}: {}", shown.text);
            }
        }
    }
}

#[test]
fn what_opens_nothing_can_be_read() {
    let message = values(&format!(
        "{}{}",
        pair("Device.DeviceInfo.SoftwareVersion", "1.2 &lt;beta&gt;"),
        pair("Device.Users.User.1.Password", "x")
    ));
    let shown = masked(&message);
    assert_eq!(shown.reach, Reach::Whole);
    assert_eq!(
        shown.text,
        "<?xml …?>
<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\">
  <soap:Header>
    <cwmp:ID soap:mustUnderstand=\"1\">7</cwmp:ID>
  </soap:Header>
  <soap:Body>
    <cwmp:SetParameterValues>
      <ParameterList>
        <ParameterValueStruct>
          <Name>Device.DeviceInfo.SoftwareVersion</Name>
          <Value xsi:type=\"xsd:string\">1.2 &lt;beta&gt;</Value>
        </ParameterValueStruct>
        <ParameterValueStruct>
          <Name>Device.Users.User.1.Password</Name>
          <Value xsi:type=\"xsd:string\">***</Value>
        </ParameterValueStruct>
      </ParameterList>
      <ParameterKey>k7</ParameterKey>
    </cwmp:SetParameterValues>
  </soap:Body>
</soap:Envelope>"
    );
}

#[test]
fn what_is_no_message_is_told_to_be_none() {
    for body in ["", "  ", "hello", "{}", "<", "<a", "<!DOCTYPE a><a/>"] {
        let shown = masked(body);
        assert_eq!((&*shown.text, shown.reach), ("", Reach::NotUnderstood), "{body}");
    }
    let deep = "<a>".repeat(1000);
    assert_eq!(masked(&deep).reach, Reach::NotUnderstood);
    assert_eq!(masked("<a></b>").reach, Reach::NotUnderstood);
}

#[test]
fn a_large_message_is_cut() {
    let many: String = (0..5000).map(|n| pair(&format!("Device.X.{n}.Name"), "value")).collect();
    let shown = masked(&values(&many));
    assert_eq!(shown.reach, Reach::Cut);
    assert!(shown.text.len() <= MAX_MASKED && shown.text.len() > MAX_MASKED - 1000);
    let long = masked(&values(&pair("Device.A.B", &"x".repeat(1 << 20))));
    assert!(long.text.len() < 8 << 10 && long.text.contains('…'), "{}", long.text.len());
    // Where the user information of a URL ends, a cut text does not say.
    let url = format!("http://u:{}{}@h/", "p".repeat(5000), CANARY);
    assert!(masked(&values(&pair("Device.A.B", &url))).text.contains(&format!(">{MASK}</Value>")));
}

proptest! {
    #[test]
    fn any_bytes_give_a_bounded_text(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let shown = mask(&body, None, &is_secret);
        prop_assert!(shown.text.len() <= MAX_MASKED);
    }

    /// Secrets and others in any order, with blanks and comments between.
    #[test]
    fn of_any_list_the_secrets_alone_are_hidden(
        list in proptest::collection::vec((any::<bool>(), any::<bool>(), 0..3usize), 1..20),
    ) {
        let mut structs = String::new();
        let mut shown_ones = 0;
        for (n, (secret, value_first, filler)) in list.iter().enumerate() {
            let leaf = if *secret { "AdminPassword" } else { "Label" };
            let text = if *secret { CANARY } else { "sEEn" };
            shown_ones += usize::from(!secret);
            let filler = ["", "\n  ", "<!-- c4n4ry -->"][*filler];
            let name = format!("<Name>Device.X.{n}.{leaf}</Name>");
            let value = format!("<Value>{text}</Value>");
            let (first, then) = if *value_first { (value, name) } else { (name, value) };
            structs.push_str(&format!("<ParameterValueStruct>{first}{filler}{then}</ParameterValueStruct>"));
        }
        let shown = masked(&values(&structs));
        prop_assert_eq!(shown.reach, Reach::Whole);
        prop_assert!(!shown.text.contains("c4n4"));
        prop_assert_eq!(shown.text.matches("sEEn").count(), shown_ones);
    }
}
