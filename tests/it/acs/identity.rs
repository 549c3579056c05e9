//! Who a device says it is, at the real server, by the numbers of the list of
//! hostile inputs (B).

use provost::device::Secret;

use super::wire::{Wire, authorize};
use super::{inform, open_lab};
use crate::lab::Lab;

async fn alarms(lab: &Lab, serial: &str) -> String {
    let path = format!("/api/v1/devices/00D09E-SimGateway-{serial}/events");
    let (status, events) = lab.call("GET", &path, "").await;
    assert_eq!(status, 200, "{events}");
    events.to_string()
}

/// The same identity at two addresses: the newest session is the one that is
/// served, the other gets an end and nothing of it.
#[tokio::test]
async fn b03_t11_of_two_that_say_they_are_one_the_newest_is_served_and_it_is_told() {
    let (lab, at) = open_lab().await;
    let (_, inform) = inform("B3");
    let mut first = Wire::connect_from("127.0.0.2", at).await;
    let cookie = first.post(&inform, &[]).await.cookie();
    assert_eq!(first.post(b"", &[("Cookie", &cookie)]).await.status, 200, "it is asked something");
    let mut second = Wire::connect_from("127.0.0.3", at).await;
    let other = second.post(&inform, &[]).await.cookie();
    // Nothing that the first says reaches the session of the second, by whatever
    // connection, cookie or none.
    assert_eq!(first.post(b"", &[("Cookie", &cookie)]).await.status, 204);
    assert_eq!(first.post(b"", &[]).await.status, 204);
    let mut again = Wire::connect_from("127.0.0.2", at).await;
    assert_eq!(again.post(b"", &[("Cookie", &cookie)]).await.status, 204);
    let mut stolen = Wire::connect_from("127.0.0.2", at).await;
    assert_eq!(stolen.post(b"", &[("Cookie", &other)]).await.status, 204, "B4");
    let served = second.post(b"", &[("Cookie", &other)]).await;
    assert_eq!(served.status, 200, "the newest is asked");
    assert_eq!(alarms(&lab, "B3").await.matches("clone suspected").count(), 1);
    // Turn and turn about: told once.
    for source in ["127.0.0.2", "127.0.0.3", "127.0.0.2"] {
        assert_eq!(Wire::connect_from(source, at).await.post(&inform, &[]).await.status, 200);
    }
    assert_eq!(alarms(&lab, "B3").await.matches("clone suspected").count(), 1);
}

/// A device that lost its session begins another before the first is over.
#[tokio::test]
async fn t11_a_second_session_of_a_device_takes_the_place_of_the_first() {
    let (lab, at) = open_lab().await;
    let (_, inform) = inform("T11");
    let mut first = Wire::connect(at).await;
    let cookie = first.post(&inform, &[]).await.cookie();
    assert_eq!(first.post(b"", &[("Cookie", &cookie)]).await.status, 200);
    let mut second = Wire::connect(at).await;
    let newest = second.post(&inform, &[]).await.cookie();
    assert_eq!(first.post(b"", &[("Cookie", &cookie)]).await.status, 204, "the first is over");
    assert_eq!(second.post(b"", &[("Cookie", &newest)]).await.status, 200);
    let path = "/api/v1/devices/00D09E-SimGateway-T11";
    let (_, device) = lab.call("GET", path, "").await;
    assert_eq!(device["sessions"], 2);
    assert!(!alarms(&lab, "T11").await.contains("clone"), "from one address it is no clone");
}

#[tokio::test]
async fn b05_a_cookie_that_the_client_made_is_never_the_session_s() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("B5");
    let made_up = "session=11111111111111111111111111111111";
    let mut wire = Wire::connect(at).await;
    let given = wire.post(&inform, &[("Cookie", made_up)]).await.cookie();
    assert_ne!(given, made_up);
    let mut other = Wire::connect(at).await;
    assert_eq!(other.post(b"", &[("Cookie", made_up)]).await.status, 204);
}

#[tokio::test]
async fn b06_an_answer_to_a_challenge_that_was_overheard_opens_nothing_elsewhere() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (_, inform) = inform("B6");
    let mut wire = Wire::connect_from("127.0.0.2", at).await;
    let challenges = wire.post(&inform, &[]).await.headers("www-authenticate");
    let (user, password) = lab.onboarding();
    let answer = authorize(&challenges, &user, &password);
    let authorization = [("Authorization", answer.as_str())];
    assert_eq!(wire.post(&inform, &authorization).await.status, 200);
    let mut thief = Wire::connect_from("127.0.0.3", at).await;
    let refused = thief.post(&inform, &authorization).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers("www-authenticate")[0].contains("stale=true"), "not a wrong password");
    let mut same = Wire::connect_from("127.0.0.2", at).await;
    assert_eq!(same.post(&inform, &authorization).await.status, 200, "Q17, Q58");
}

#[tokio::test]
async fn b07_basic_is_neither_offered_nor_taken_over_plain_http_unless_it_is_allowed() {
    let basic = |user: &str, password: &Secret| {
        use base64::Engine as _;
        let text = format!("{user}:{}", password.expose());
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    for (sets, right) in [(vec![], 401), (vec!["cwmp.basic_over_http=true"], 200)] {
        let lab = Lab::with(&sets).await;
        let (user, password) = lab.onboarding();
        let login = basic(&user, &password);
        let mut wire = Wire::connect(lab.addresses().cwmp.unwrap()).await;
        let answer = wire.post(&inform("B7").1, &[("Authorization", &login)]).await;
        assert_eq!(answer.status, right);
        let offers = answer.headers("www-authenticate");
        assert!(!offers.iter().any(|offer| offer.starts_with("Basic")), "{offers:?}");
    }
}

#[tokio::test]
async fn b08_a_flood_of_bad_passwords_slows_the_guesser_and_nobody_else() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (user, password) = lab.onboarding();
    let (_, inform) = inform("B8");
    let mut guesser = Wire::connect_from("127.0.0.2", at).await;
    let challenges = guesser.post(&inform, &[]).await.headers("www-authenticate");
    let mut statuses = Vec::new();
    for guess in 0..60 {
        let answer = authorize(&challenges, &user, &Secret::new(guess.to_string()));
        let mut wire = Wire::connect_from("127.0.0.2", at).await;
        let answer = wire.post(&inform, &[("Authorization", &answer)]).await;
        assert!(answer.status != 503 || answer.headers("retry-after").len() == 1);
        statuses.push(answer.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10);
    assert_eq!(statuses.last(), Some(&503));
    let right = authorize(&challenges, &user, &password);
    let mut other = Wire::connect_from("127.0.0.3", at).await;
    assert_eq!(other.post(&inform, &[("Authorization", &right)]).await.status, 200);
}

#[tokio::test]
async fn b11_invented_serial_numbers_are_let_in_only_so_many_a_minute() {
    let lab = Lab::with(&["cwmp.auth=open", "cwmp.new_devices_per_minute=3"]).await;
    let at = lab.addresses().cwmp.unwrap();
    let mut statuses = Vec::new();
    for number in 0..20 {
        let (_, inform) = inform(&format!("B11-{number}"));
        statuses.push(Wire::connect(at).await.post(&inform, &[]).await.status);
    }
    // The minute may turn in the midst.
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert!((3..=6).contains(&taken), "{statuses:?}");
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    assert_eq!(devices["items"].as_array().unwrap().len(), taken, "no row for the others");
    let (_, known) = inform("B11-0");
    assert_eq!(
        Wire::connect(at).await.post(&known, &[]).await.status,
        200,
        "who is known comes in"
    );
}

#[tokio::test]
async fn b12_an_rpc_that_is_never_answered_ends_with_the_next_inform() {
    let (lab, at) = open_lab().await;
    let (_, inform) = inform("B12");
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.post(&inform, &[]).await.status, 200);
    let task = r#"{"action": "reboot"}"#;
    let path = "/api/v1/devices/00D09E-SimGateway-B12/tasks";
    // The tree is read first; the reboot goes into the next session's plan.
    let (status, made) = lab.call("POST", path, task).await;
    assert_eq!(status, 202, "{made}");
    let mut asked = wire.post(b"", &[]).await;
    assert_eq!(asked.status, 200);
    for _ in 0..10 {
        if asked.text().contains(":Reboot") {
            break;
        }
        // Whatever is asked is answered by a fault: the session goes on.
        let id = asked.text();
        let id =
            id.split(":ID").nth(1).and_then(|rest| rest.split(['>', '<']).nth(1)).unwrap_or("");
        let fault = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:c=\"urn:dslforum-org:cwmp-1-0\"><s:Header><c:ID>{id}</c:ID></s:Header><s:Body>\
             <s:Fault><detail><c:Fault><FaultCode>9001</FaultCode></c:Fault></detail></s:Fault>\
             </s:Body></s:Envelope>"
        );
        asked = wire.post(fault.as_bytes(), &[]).await;
    }
    assert!(asked.text().contains(":Reboot"), "{}", asked.text());
    // No answer, and another Inform: unknown, and never asked again.
    let mut wire = Wire::connect(at).await;
    let periodic = String::from_utf8(inform).unwrap();
    let periodic = periodic.replace("0 BOOTSTRAP", "2 PERIODIC").replace("1 BOOT", "2 PERIODIC");
    assert_eq!(wire.post(periodic.as_bytes(), &[]).await.status, 200);
    let (_, task) =
        lab.call("GET", &format!("/api/v1/tasks/{}", made["id"].as_str().unwrap()), "").await;
    assert_eq!(task["state"], "unknown", "{task}");
}

#[tokio::test]
async fn t25_over_the_limit_of_sessions_devices_are_told_when_to_come_again() {
    let lab = Lab::with(&["cwmp.auth=open", "cwmp.max_sessions=1"]).await;
    let at = lab.addresses().cwmp.unwrap();
    assert_eq!(Wire::connect(at).await.post(&inform("T25A").1, &[]).await.status, 200);
    let refused = Wire::connect(at).await.post(&inform("T25B").1, &[]).await;
    assert_eq!(refused.status, 503);
    let seconds: u64 = refused.headers("retry-after")[0].parse().unwrap();
    assert!((5..=60).contains(&seconds));
}

#[tokio::test]
async fn t07_a_version_that_nobody_speaks_is_answered_by_8006_and_the_door_stays_open() {
    let (lab, at) = open_lab().await;
    let (_, body) = inform("T7");
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("</cwmp:ID>"), "{text}");
    let offered = text.replace(
        "</cwmp:ID>",
        "</cwmp:ID><cwmp:SupportedCWMPVersions>7.0,8.1</cwmp:SupportedCWMPVersions>",
    );
    let answer = Wire::connect(at).await.post(offered.as_bytes(), &[]).await;
    assert_eq!(answer.status, 200, "a fault is no error of HTTP");
    assert!(answer.text().contains("8006"), "{}", answer.text());
    let path = "/api/v1/devices/00D09E-SimGateway-T7";
    assert_eq!(lab.call("GET", path, "").await.0, 404, "nothing of it is kept");
    assert_eq!(Wire::connect(at).await.post(text.as_bytes(), &[]).await.status, 200);
}
