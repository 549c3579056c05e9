//! Tests of `simulate` from outside: over sockets, against an ACS that follows
//! a script.

mod load;
mod script;

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use provost::config::TlsConfig;
use provost::cwmp::{AcsRequest, Download, FaultCode, ParameterValue, Reboot, SetParameterValues};
use provost::device::{EventCode, Secret};
use provost::http::{TlsMaterial, client_tls};
use provost::param::{ParamPath, Value};
use provost::simulate::{
    Blueprint, ClientAuth, Cpe, FanvilPhone, PhoneFile, PhoneFileKind, PhoneVerdict,
    RunnerSettings, SessionFailure, SimEvent, SimHandle, firmware_image, start,
};
use provost::time::{Clock, SystemClock};

use script::{Running, State};

const LONG: Duration = Duration::from_secs(20);

fn account(user: &str, password: &str) -> (Box<str>, Secret) {
    (user.into(), Secret::new(password))
}

fn gateway(url: &str) -> Cpe {
    let blueprint = Blueprint::device2("SOCK1", 120).unwrap();
    Cpe::new(blueprint.with_acs(url, "onboard", Secret::new("secret")), SystemClock.now())
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn set(values: &[(&str, &str)]) -> AcsRequest {
    let values = values.iter().map(|(name, text)| ParameterValue {
        name: ParamPath::parse(name).unwrap(),
        value: Value::string(*text),
    });
    AcsRequest::SetParameterValues(SetParameterValues {
        values: values.collect(),
        parameter_key: "".into(),
    })
}

/// A session that told this event and ended well.
async fn session_with(handle: &mut SimHandle, code: EventCode) {
    let ended = handle
        .wait_for(LONG, |event| {
            matches!(event, SimEvent::SessionEnded { events, failure: None, .. } if events.contains(&code))
        })
        .await;
    assert!(ended.is_some(), "no session with {code}");
}

fn digest_acs() -> Running {
    let accounts = vec![account("onboard", "secret"), account("own", "other")];
    script::start(State { accounts, ..State::default() }, false, None)
}

#[tokio::test]
async fn digest_is_answered_once_and_then_shown_unasked() {
    let acs = digest_acs();
    let settings = RunnerSettings { listen: false, ..RunnerSettings::default() };
    let mut handle = start(gateway(&acs.url), settings, clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    handle.raise(EventCode::Periodic).await;
    session_with(&mut handle, EventCode::Periodic).await;
    let state = acs.script.state.lock().unwrap();
    assert_eq!(state.challenged, 1);
    assert_eq!(state.users.len(), 4);
    assert_eq!(state.informs.len(), 2);
}

#[tokio::test]
async fn basic_is_shown_from_the_first_request_on() {
    let accounts = vec![account("onboard", "secret")];
    let acs = script::start(State { accounts, ..State::default() }, true, None);
    let settings = RunnerSettings { auth: ClientAuth::Basic, ..RunnerSettings::default() };
    let mut handle = start(gateway(&acs.url), settings, clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    assert_eq!(acs.script.state.lock().unwrap().challenged, 0);
}

#[tokio::test]
async fn credentials_that_were_set_count_from_the_next_session_on() {
    let acs = digest_acs();
    acs.script.state.lock().unwrap().requests.push_back(set(&[
        ("Device.ManagementServer.Username", "own"),
        ("Device.ManagementServer.Password", "other"),
    ]));
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    handle.raise(EventCode::Periodic).await;
    session_with(&mut handle, EventCode::Periodic).await;
    let state = acs.script.state.lock().unwrap();
    let users: Vec<&str> = state.users.iter().map(|user| &**user).collect();
    assert_eq!(users, ["onboard", "onboard", "onboard", "own", "own"]);
}

#[tokio::test]
async fn wrong_credentials_end_the_session() {
    let accounts = vec![account("onboard", "different")];
    let acs = script::start(State { accounts, ..State::default() }, false, None);
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    let event = handle.next_event().await.unwrap();
    let SimEvent::SessionEnded { failure, .. } = event else { panic!("{event:?}") };
    assert_eq!(failure, Some(SessionFailure::Unauthorized));
    assert_eq!(acs.script.state.lock().unwrap().challenged, 2);
}

#[tokio::test]
async fn a_connection_request_opens_a_session() {
    let acs = digest_acs();
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    let url = handle.connection_request_url().unwrap().to_owned();
    assert_eq!(knock(&url, "cr", "knock").await, StatusCode::UNAUTHORIZED, "before they are set");
    acs.script.state.lock().unwrap().requests.push_back(set(&[
        ("Device.ManagementServer.ConnectionRequestUsername", "cr"),
        ("Device.ManagementServer.ConnectionRequestPassword", "knock"),
    ]));
    handle.raise(EventCode::Periodic).await;
    session_with(&mut handle, EventCode::Periodic).await;
    {
        let state = acs.script.state.lock().unwrap();
        let told =
            state.informs[0].parameters.iter().find(|p| p.name.leaf() == "ConnectionRequestURL");
        assert_eq!(&*told.unwrap().value.text, url);
    }
    assert_eq!(knock(&url, "cr", "wrong").await, StatusCode::UNAUTHORIZED);
    assert_eq!(knock(&format!("{url}x"), "cr", "knock").await, StatusCode::NOT_FOUND);
    assert_eq!(knock(&url, "cr", "knock").await, StatusCode::OK);
    session_with(&mut handle, EventCode::ConnectionRequest).await;
}

/// A connection request as an ACS makes it; the final status.
async fn knock(url: &str, user: &str, password: &str) -> StatusCode {
    use bytes::Bytes;
    use http_body_util::Full;
    use provost::http::{ClientConnection, DigestClient, Target, read_limited};
    let target = Target::parse(url).unwrap();
    let request = |authorization: Option<String>| {
        let mut request = hyper::Request::get(&*target.path).header("host", target.host_header());
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        request.body(Full::<Bytes>::default()).unwrap()
    };
    let mut connection =
        ClientConnection::connect(&target.host, target.port, None, LONG).await.unwrap();
    let first = connection.send(request(None)).await.unwrap();
    if first.status() != StatusCode::UNAUTHORIZED {
        return first.status();
    }
    let (head, body) = first.into_parts();
    read_limited(body, 1024).await.unwrap();
    let challenges: Vec<&str> =
        head.headers.get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect();
    let password = Secret::new(password);
    let answer =
        DigestClient::answer(&challenges, "GET", &target.path, user, &password, "c1", 1).unwrap();
    let mut connection =
        ClientConnection::connect(&target.host, target.port, None, LONG).await.unwrap();
    connection.send(request(Some(answer))).await.unwrap().status()
}

#[tokio::test]
async fn firmware_is_fetched_applied_and_reported() {
    let acs = digest_acs();
    let image = firmware_image("3.1.4", 50_000).unwrap();
    {
        let mut state = acs.script.state.lock().unwrap();
        state.requests.push_back(AcsRequest::Download(Box::new(Download {
            command_key: "fw".into(),
            file_type: "1 Firmware Upgrade Image".into(),
            url: format!("http://{}/file", acs.at).into(),
            username: "own".into(),
            password: Secret::new("other"),
            file_size: image.len() as u64,
            target_file_name: "".into(),
            delay_seconds: 0,
        })));
        state.files.insert("/file".to_owned(), image);
    }
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    let upgraded = handle.wait_for(LONG, |event| matches!(event, SimEvent::Upgraded { .. })).await;
    let Some(SimEvent::Upgraded { version, sha256 }) = upgraded else { panic!() };
    assert_eq!((&*version, sha256.len()), ("3.1.4", 64));
    session_with(&mut handle, EventCode::TransferComplete).await;
    let state = acs.script.state.lock().unwrap();
    let [report] = &state.completed[..] else { panic!() };
    assert_eq!((&*report.command_key, report.fault_code), ("fw", FaultCode(0)));
    assert!(state.informs[1].has(&EventCode::Boot));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_reported_too() {
    let acs = script::start(State::default(), false, None);
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    acs.script.state.lock().unwrap().requests.push_back(AcsRequest::Download(Box::new(Download {
        command_key: "fw".into(),
        file_type: "1 Firmware Upgrade Image".into(),
        url: format!("http://{nowhere}/file").into(),
        username: "".into(),
        password: Secret::new(""),
        file_size: 0,
        target_file_name: "".into(),
        delay_seconds: 0,
    })));
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::TransferComplete).await;
    let state = acs.script.state.lock().unwrap();
    assert_eq!(state.completed[0].fault_code, FaultCode(9015));
    assert!(!state.informs[1].has(&EventCode::Boot), "no restart");
}

#[tokio::test]
async fn a_reboot_comes_after_the_session() {
    let acs = script::start(State::default(), false, None);
    let reboot = AcsRequest::Reboot(Reboot { command_key: "rb".into() });
    acs.script.state.lock().unwrap().requests.push_back(reboot);
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    assert_eq!(handle.next_event().await, Some(SimEvent::Restarted { factory_reset: false }));
    session_with(&mut handle, EventCode::Method("Reboot".into())).await;
}

#[tokio::test]
async fn t05_a_redirect_is_followed_for_the_session() {
    let acs = digest_acs();
    let moved = format!("http://{}/moved", acs.at);
    let mut handle = start(gateway(&moved), RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    let cpe = handle.stop().await.unwrap();
    assert_eq!(cpe.acs_url(), moved, "the redirect is not remembered");
}

#[tokio::test]
async fn a_stopped_device_goes_on_where_it_was() {
    let acs = digest_acs();
    acs.script.state.lock().unwrap().fail_with = Some(StatusCode::SERVICE_UNAVAILABLE);
    let mut handle = start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    let event = handle.next_event().await;
    assert!(matches!(
        event,
        Some(SimEvent::SessionEnded { failure: Some(SessionFailure::Status(503)), .. })
    ));
    let mut cpe = handle.stop().await.unwrap();
    acs.script.state.lock().unwrap().fail_with = None;
    cpe.raise(EventCode::Periodic, "");
    let mut handle = start(cpe, RunnerSettings::default(), clock()).await.unwrap();
    session_with(&mut handle, EventCode::Periodic).await;
    let state = acs.script.state.lock().unwrap();
    assert!(state.informs[0].has(&EventCode::Bootstrap), "still to be told");
    assert_eq!(state.informs[0].retry_count, 1);
}

#[tokio::test]
async fn sessions_run_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let material = TlsMaterial::load_or_make(folder.path(), &TlsConfig::default()).unwrap();
    let pem = std::fs::read_to_string(folder.path().join("tls/ca.pem")).unwrap();
    let accounts = vec![account("onboard", "secret")];
    let acs = script::start(State { accounts, ..State::default() }, false, Some(material));
    let tls = Some(client_tls(&pem).unwrap());
    let settings = RunnerSettings { tls, keep_alive: true, ..RunnerSettings::default() };
    let mut handle = start(gateway(&acs.url), settings, clock()).await.unwrap();
    session_with(&mut handle, EventCode::Bootstrap).await;
    handle.raise(EventCode::Periodic).await;
    session_with(&mut handle, EventCode::Periodic).await;

    let mut distrustful =
        start(gateway(&acs.url), RunnerSettings::default(), clock()).await.unwrap();
    let event = distrustful.next_event().await;
    assert!(matches!(
        event,
        Some(SimEvent::SessionEnded { failure: Some(SessionFailure::Connection(_)), .. })
    ));
}

#[tokio::test]
async fn a_phone_fetches_both_its_files() {
    let acs = script::start(State::default(), false, None);
    let put = |name: &str, version: &str| {
        let file = (format!("/p/{name}"), version.as_bytes().to_vec());
        acs.script.state.lock().unwrap().files.extend([file]);
    };
    let decode = Arc::new(|bytes: &[u8], _: Option<&Secret>| {
        let version = std::str::from_utf8(bytes).map_err(|_| Box::<str>::from("no text"))?;
        Ok(PhoneFile { version: version.into(), settings: Vec::new() })
    });
    let mac = "0c383e07e16c".parse().unwrap();
    let mut phone = FanvilPhone::new(mac, "f0X3.cfg", None, None, decode);
    let base = format!("http://{}/p/", acs.at);
    let mut told = Vec::new();
    for (common, device) in [("2.01", None), ("2.01", Some("2.07")), ("2.02", Some("2.07"))] {
        put("f0X3.cfg", common);
        if let Some(version) = device {
            put("0c383e07e16c.cfg", version);
        }
        for (_, outcome) in phone.provision(&base, None, None, LONG).await {
            told.push(match outcome {
                Ok(PhoneVerdict::Applied { version }) => format!("applied {version}"),
                Ok(PhoneVerdict::Unchanged { version }) => format!("same {version}"),
                Ok(other) => format!("{other:?}"),
                Err(error) => error.to_string(),
            });
        }
    }
    assert_eq!(
        told,
        [
            "applied 2.01",
            "0c383e07e16c.cfg: the server answered 404",
            "same 2.01",
            "applied 2.07",
            "applied 2.02",
            "same 2.07",
        ]
    );
    assert_eq!(phone.version(PhoneFileKind::Common), Some("2.02"));
}
