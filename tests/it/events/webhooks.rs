//! Webhooks against a real receiver that fails and recovers.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use provost::config::{Config, LimitsConfig, Live, StoreConfig, WebhooksConfig};
use provost::herald::{Hub, Pace, Webhooks, WebhooksDeps};
use provost::http::{Body, Door, Handler, Peer, collect};
use provost::ledger::Ledger;
use provost::news::signature;
use provost::store::{Store, Vault};
use provost::time::{Clock as _, ManualClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{PATIENCE, boots, token_of, two_tenants};
use crate::api::{NOW, Rig, id};

/// A secret that is given.
const SECRET: &str = "a-secret-of-the-tests-0123";

/// What came to the receiver, and how it was answered.
#[derive(Clone, Debug)]
struct Got {
    status: u16,
    path: String,
    event: String,
    delivery: String,
    timestamp: i64,
    signature: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn is_signed_with(&self, secret: &str) -> bool {
        self.signature == signature(secret, self.timestamp, self.body.as_bytes())
    }
}

/// Answers of the receiver: first those, then always the last.
#[derive(Clone)]
struct Answers(Arc<Mutex<(VecDeque<u16>, u16)>>);

impl Answers {
    fn always(&self, status: u16) {
        *self.0.lock().unwrap() = (VecDeque::new(), status);
    }

    fn first(&self, first: &[u16], then: u16) {
        *self.0.lock().unwrap() = (first.iter().copied().collect(), then);
    }
}

struct Face {
    answers: Answers,
    told: mpsc::UnboundedSender<Got>,
}

impl Handler for Face {
    async fn handle(&self, _: Peer, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = collect(body, 1 << 20, &LimitsConfig::default()).await.unwrap();
        let status = {
            let mut answers = self.answers.0.lock().unwrap();
            let then = answers.1;
            answers.0.pop_front().unwrap_or(then)
        };
        let text = |name: &str| head.headers[name].to_str().unwrap().to_owned();
        let _ = self.told.send(Got {
            status,
            path: head.uri.path().to_owned(),
            event: text("provost-event"),
            delivery: text("provost-delivery"),
            timestamp: text("provost-timestamp").parse().unwrap(),
            signature: text("provost-signature"),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let mut answer = Response::new(Body::full("taken or not"));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer.headers_mut().insert("location", "/elsewhere".parse().unwrap());
        answer
    }
}

struct Receiver {
    at: SocketAddr,
    answers: Answers,
    got: mpsc::UnboundedReceiver<Got>,
    _stop: DropGuard,
}

impl Receiver {
    fn open(status: u16) -> Self {
        let answers = Answers(Arc::new(Mutex::new((VecDeque::new(), status))));
        let (told, got) = mpsc::unbounded_channel();
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let door = Door::bind("receiver", at, &LimitsConfig::default(), None).unwrap();
        let (at, stop) = (door.local_addr(), CancellationToken::new());
        let face = Face { answers: answers.clone(), told };
        tokio::spawn(door.serve(Arc::new(face), stop.clone()));
        Self { at, answers, got, _stop: stop.drop_guard() }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.at)
    }

    async fn next(&mut self) -> Got {
        tokio::time::timeout(PATIENCE, self.got.recv()).await.unwrap().unwrap()
    }

    /// What was taken, until there are so many.
    async fn taken(&mut self, count: usize) -> Vec<Got> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let got = self.next().await;
            if got.status < 300 {
                taken.push(got);
            }
        }
        taken
    }
}

fn settings() -> Config {
    let mut config = Config::default();
    config.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

async fn hook(rig: &Rig, receiver: &Receiver) -> String {
    let body = json!({"url": receiver.url(), "secret": SECRET});
    let made = rig.post("/webhooks", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json["id"].as_str().unwrap().to_owned()
}

fn ids(got: &[Got]) -> Vec<String> {
    got.iter().map(|got| got.json()["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_receiver_that_fails_and_recovers_gets_all_in_order_and_signed() {
    let rig = Rig::with(settings());
    boots(&*rig.store, "1", 2, NOW).await;
    let mut receiver = Receiver::open(500);
    let hook = hook(&rig, &receiver).await;
    boots(&*rig.store, "1", 40, NOW).await;
    // It is tried again and again, always the same.
    let first = receiver.next().await;
    for _ in 0..4 {
        let again = receiver.next().await;
        assert_eq!((&again.delivery, &again.body), (&first.delivery, &first.body));
    }
    let shown = rig.get(&format!("/webhooks/{hook}")).await;
    assert_eq!(shown.json["delivery"]["problem"], "the receiver answered 500");
    assert_eq!(shown.json["delivery"]["last_success"], Value::Null);
    // It takes some, fails in all ways there are, and takes the rest.
    receiver.answers.first(&[204, 200, 302, 429, 503, 404, 202, 500, 500], 204);
    let taken = receiver.taken(40).await;
    let expected: Vec<String> = (3..=42).map(|number: u32| number.to_string()).collect();
    assert_eq!(ids(&taken), expected, "what happened before it was made is not sent");
    for got in &taken {
        assert_eq!((&*got.event, &*got.path), ("device.boot", "/hook"), "no redirect is followed");
        assert!(got.is_signed_with(SECRET) && !got.is_signed_with("another secret"));
        assert_eq!(got.delivery, format!("{hook}-{}", got.json()["id"].as_str().unwrap()));
        assert_eq!(got.timestamp, NOW.as_secs());
        assert_eq!(got.json()["device"], id("1").as_str());
    }
    // One that happens afterwards comes once.
    boots(&*rig.store, "1", 1, NOW).await;
    assert_eq!(ids(&receiver.taken(1).await), ["43"]);
    let shown = rig.get(&format!("/webhooks/{hook}")).await;
    assert_eq!(shown.json["delivery"]["dead_letters"], 0);
}

#[tokio::test]
async fn what_is_not_taken_for_too_long_becomes_a_dead_letter() {
    let rig = Rig::with(settings());
    let mut receiver = Receiver::open(500);
    let hook = hook(&rig, &receiver).await;
    boots(&*rig.store, "1", 3, NOW).await;
    let first = receiver.next().await;
    // At the second attempt the first one is known to have failed.
    receiver.next().await;
    rig.clock.advance(Duration::from_secs(25 * 3600));
    // The next one is young: when it is tried, the others were given up.
    boots(&*rig.store, "1", 1, rig.clock.now()).await;
    while receiver.next().await.json()["id"] != "4" {}
    let path = format!("/webhooks/{hook}/dead-letters");
    let letters = rig.get(&path).await;
    let of = |letters: &Value| -> Vec<String> {
        let items = letters["items"].as_array().unwrap();
        items.iter().map(|item| item["event"]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&letters.json), ["1", "2", "3"]);
    assert_eq!(letters.json["items"][0]["problem"], "the receiver answered 500");
    let page = rig.get(&format!("{path}?limit=2")).await;
    let next = page.json["next"].as_str().unwrap();
    assert_eq!(of(&rig.get(&format!("{path}?limit=2&after={next}")).await.json), ["3"]);
    // As long as the receiver fails, they stay.
    let failed = rig.post(&format!("{path}/redeliver"), json!({})).await;
    assert_eq!((&failed.json["delivered"], &failed.json["left"]), (&0.into(), &3.into()));
    assert_eq!(failed.json["problem"], "the receiver answered 500");
    receiver.answers.always(204);
    assert_eq!(rig.delete(&format!("{path}/2")).await.status, 204);
    assert_eq!(rig.delete(&format!("{path}/2")).await.status, 404);
    let one = rig.post(&format!("{path}/1/redeliver"), json!({})).await;
    assert_eq!((&one.json["delivered"], &one.json["left"]), (&1.into(), &1.into()));
    let rest = rig.post(&format!("{path}/redeliver"), json!({})).await;
    assert_eq!((&rest.json["delivered"], &rest.json["left"]), (&1.into(), &0.into()));
    let mut taken = receiver.taken(3).await;
    taken.sort_by_key(|got| got.delivery.clone());
    assert_eq!(ids(&taken), ["1", "3", "4"]);
    assert_eq!(taken[0].delivery, first.delivery, "a receiver knows it again");
    assert_eq!(rig.get(&path).await.json["items"], json!([]));
}

/// Webhooks over a store that outlives them.
struct Service {
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Service {
    fn start(store: &Arc<dyn Store>, vault: &Arc<Vault>) -> Self {
        Self::with(store, vault, settings().webhooks.into())
    }

    fn with(store: &Arc<dyn Store>, vault: &Arc<Vault>, config: Live<WebhooksConfig>) -> Self {
        let stop = CancellationToken::new();
        let hub = Hub::new(store.clone(), [0; 32], settings().events);
        tokio::spawn(hub.clone().run(stop.clone()));
        let deps = WebhooksDeps {
            store: store.clone(),
            vault: vault.clone(),
            clock: Arc::new(ManualClock::at(NOW)),
            hub,
            config,
        };
        let pace = Pace { first: Duration::from_millis(2), most: Duration::from_millis(5) };
        let webhooks = Webhooks::at_pace(deps, pace).unwrap();
        Self { running: tokio::spawn(webhooks.run(stop.clone())), stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let look = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap();
}

/// A store with a webhook for a receiver, from the first news on.
async fn store_with_hook(vault: &Vault, receiver: &Receiver) -> Arc<dyn Store> {
    let store = provost::store::memory(&StoreConfig::default());
    store.accompany(Ledger::new(Arc::new(ManualClock::at(NOW))));
    let record = provost::news::WebhookRecord {
        id: "w".into(),
        revision: 1,
        name: "".into(),
        url: receiver.url().into(),
        secret: vault.seal(&provost::device::Secret::new(SECRET)),
        kinds: Vec::new(),
        reach: provost::access::Reach::WHOLE,
        enabled: true,
        stopped: "".into(),
        created_at: NOW,
        created_by: "admin".into(),
    };
    let mut batch = provost::store::Batch::new();
    use provost::store::{OfficeRecord, Record};
    batch.put(Record::Office(OfficeRecord::WebhookAt("w".into(), 0.into())));
    batch.put(Record::Office(OfficeRecord::Webhook(Box::new(record))));
    store.commit(batch).await.unwrap();
    store
}

#[tokio::test]
async fn a_restart_in_the_middle_delivers_the_rest() {
    let vault = Vault::ephemeral();
    let mut receiver = Receiver::open(500);
    let store = store_with_hook(&vault, &receiver).await;
    boots(&*store, "1", 5, NOW).await;
    receiver.answers.first(&[204, 204], 500);
    let service = Service::start(&store, &vault);
    let mut taken = receiver.taken(2).await;
    while receiver.next().await.json()["id"] != "3" {}
    service.stop().await;
    boots(&*store, "1", 1, NOW).await;
    receiver.answers.always(204);
    let service = Service::start(&store, &vault);
    taken.extend(receiver.taken(4).await);
    assert_eq!(ids(&taken), ["1", "2", "3", "4", "5", "6"]);
    service.stop().await;
}

#[tokio::test]
async fn how_deliveries_go_survives_a_restart_at_few_writes() {
    let vault = Vault::ephemeral();
    let mut receiver = Receiver::open(500);
    let store = store_with_hook(&vault, &receiver).await;
    boots(&*store, "1", 3, NOW).await;
    let kept = async || store.office().webhook_at("w").await.unwrap().unwrap();
    let service = Service::start(&store, &vault);
    for _ in 0..20 {
        receiver.next().await;
    }
    // The first failure is written; within a minute no further one is.
    assert_eq!((kept().await.next, kept().await.attempts), (0, 1));
    service.stop().await;
    let stopped = kept().await;
    assert!(stopped.attempts >= 19, "{stopped:?}");
    assert_eq!((stopped.failing_since, stopped.last_failure), (Some(NOW), Some(NOW)));
    assert_eq!((&*stopped.problem, stopped.last_success), ("the receiver answered 500", None));
    // It goes on counting.
    let service = Service::start(&store, &vault);
    for _ in 0..2 {
        receiver.next().await;
    }
    service.stop().await;
    assert!(kept().await.attempts > stopped.attempts);
    receiver.answers.always(204);
    let service = Service::start(&store, &vault);
    receiver.taken(3).await;
    until(async || kept().await.next == 3).await;
    service.stop().await;
    let taken = kept().await;
    assert_eq!((taken.next, taken.attempts, taken.failing_since), (3, 0, None));
    assert_eq!((taken.last_success, taken.last_failure), (Some(NOW), Some(NOW)));
}

#[tokio::test]
async fn no_connection_outlives_the_network_that_allowed_it() {
    let vault = Vault::ephemeral();
    let mut receiver = Receiver::open(204);
    let store = store_with_hook(&vault, &receiver).await;
    let config: Live<WebhooksConfig> = settings().webhooks.into();
    let service = Service::with(&store, &vault, config.clone());
    let kept = async || store.office().webhook_at("w").await.unwrap().unwrap();
    boots(&*store, "1", 1, NOW).await;
    receiver.taken(1).await;
    until(async || kept().await.next == 1).await;
    // The connection is still open, and would do.
    config.set(WebhooksConfig::default());
    boots(&*store, "1", 1, NOW).await;
    until(async || kept().await.attempts > 0).await;
    assert!(kept().await.problem.contains("not in the public Internet"), "{:?}", kept().await);
    assert!(receiver.got.try_recv().is_err(), "nothing came");
    config.set(settings().webhooks);
    assert_eq!(ids(&receiver.taken(1).await), ["2"]);
    service.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_somebody_says_otherwise() {
    let rig = Rig::with(settings());
    let mut receiver = Receiver::open(410);
    let hook = hook(&rig, &receiver).await;
    let mut notices = rig.store.watch();
    boots(&*rig.store, "1", 2, NOW).await;
    let path = format!("/webhooks/{hook}");
    loop {
        let notice = tokio::time::timeout(PATIENCE, notices.recv()).await.unwrap().unwrap();
        if notice == provost::store::Notice::Webhooks {
            break;
        }
    }
    let shown = rig.get(&path).await;
    assert_eq!(shown.json["enabled"], false);
    assert_eq!(shown.json["stopped"], "the receiver answered 410 Gone");
    receiver.answers.always(204);
    let changed = rig.send(Method::PATCH, &path, Some(json!({"enabled": true}))).await;
    assert_eq!(changed.json["stopped"], "");
    assert_eq!(ids(&receiver.taken(2).await), ["1", "2"], "nothing is lost");
}

#[tokio::test]
async fn kinds_are_chosen_and_what_is_lost_is_told() {
    let mut config = settings();
    config.store.news_entries = 5;
    let rig = Rig::with(config);
    let mut receiver = Receiver::open(204);
    let body = json!({"url": receiver.url(), "kinds": ["alarm"], "enabled": false});
    let made = rig.post("/webhooks", body).await;
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    boots(&*rig.store, "1", 20, NOW).await;
    let path = format!("/webhooks/{}", made.json["id"].as_str().unwrap());
    rig.send(Method::PATCH, &path, Some(json!({"enabled": true}))).await;
    let gap = receiver.next().await;
    assert_eq!(&*gap.event, "gap");
    assert_eq!(gap.json(), json!({"kind": "gap", "first": "1", "last": "15"}));
    assert!(gap.is_signed_with(&secret));
    boots(&*rig.store, "1", 1, NOW).await;
    rig.put_stranger("9").await;
    let alarm = receiver.next().await;
    assert_eq!((&*alarm.event, alarm.json()["id"].as_str()), ("alarm", Some("22")));
}

/// security: E5.
#[tokio::test]
async fn a_tenants_webhook_is_sent_its_own_and_seen_by_nobody_else() {
    let rig = Rig::with(settings());
    two_tenants(&rig).await;
    let mut receiver = Receiver::open(204);
    let (of_a, of_b) = (format!("Bearer {}", token_of("a")), format!("Bearer {}", token_of("b")));
    let ask = async |bearer: &str, method: Method, path: &str, body: Value| {
        let headers = [("authorization", bearer)];
        rig.bare(method, &format!("/api/v1{path}"), &headers, body.to_string()).await
    };
    let url = receiver.url();
    let body = |more: Value| {
        let mut body = json!({"url": url});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let foreign = ask(&of_a, Method::POST, "/webhooks", body(json!({"tenant": "b"}))).await;
    assert_eq!(foreign.status, 400, "{}", foreign.text);
    let made = ask(&of_a, Method::POST, "/webhooks", body(json!({}))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["tenant"], "a");
    let path = format!("/webhooks/{}", made.json["id"].as_str().unwrap());
    boots(&*rig.store, "2", 3, NOW).await;
    boots(&*rig.store, "nobody's", 3, NOW).await;
    boots(&*rig.store, "1", 1, NOW).await;
    let got = receiver.next().await;
    assert_eq!(got.json()["tenant"], "a");
    assert_eq!(got.json()["id"].as_str().unwrap().len(), 32, "no number tells of others");

    assert_eq!(ask(&of_b, Method::GET, "/webhooks", json!({})).await.json["items"], json!([]));
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/test")),
        (Method::GET, format!("{path}/dead-letters")),
        (Method::DELETE, format!("{path}/dead-letters")),
        (Method::POST, format!("{path}/dead-letters/redeliver")),
    ] {
        let answer = ask(&of_b, method.clone(), &path, json!({})).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
    }
    // One that sees everything is above a tenant's operators.
    let whole = rig.post("/webhooks", body(json!({}))).await;
    let whole = format!("/webhooks/{}", whole.json["id"].as_str().unwrap());
    assert_eq!(ask(&of_a, Method::GET, &whole, json!({})).await.status, 404);
    assert_eq!(ask(&of_a, Method::GET, &path, json!({})).await.status, 200);
    assert_eq!(rig.get("/webhooks").await.json["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn webhooks_are_made_changed_and_removed_and_their_secrets_are_told_once() {
    let mut config = settings();
    config.webhooks.most = 2;
    let rig = Rig::with(config);
    let mut receiver = Receiver::open(204);
    let made = rig.post("/webhooks", json!({"url": receiver.url(), "name": "alarms"})).await;
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    assert!(secret.len() > 40);
    let path = format!("/webhooks/{}", made.json["id"].as_str().unwrap());
    for read in ["/webhooks", &path, &format!("{path}/dead-letters")] {
        let shown = rig.get(read).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.text.contains(&secret), "{read}");
    }
    let pinged = rig.post(&format!("{path}/test"), json!({})).await;
    assert_eq!((&pinged.json["taken"], &pinged.json["status"]), (&true.into(), &204.into()));
    let ping = receiver.next().await;
    assert_eq!((&*ping.event, ping.is_signed_with(&secret)), ("ping", true));
    receiver.answers.always(500);
    let pinged = rig.post(&format!("{path}/test"), json!({})).await;
    assert_eq!(pinged.json["problem"], "the receiver answered 500");

    let renewed = rig.send(Method::PATCH, &path, Some(json!({"renew_secret": true}))).await;
    assert_ne!(renewed.json["secret"].as_str().unwrap(), secret);
    assert_eq!(renewed.json["revision"], 2);
    let uri = format!("/api/v1{path}");
    let stale = rig.raw(Method::PATCH, &uri, &[("if-match", "\"1\"")], "{}").await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    let given = rig.send(Method::PATCH, &path, Some(json!({"secret": SECRET}))).await;
    assert_eq!((given.status, &given.json["secret"]), (200, &Value::Null));
    for wrong in [
        json!({"url": "http://10.0.0.1/"}),
        json!({"url": "http://u:p@example.net/"}),
        json!({"url": "file:///etc/passwd"}),
        json!({"kinds": ["bogus"]}),
        json!({"secret": "short"}),
        json!({"invented": 1}),
    ] {
        let answer = rig.send(Method::PATCH, &path, Some(wrong.clone())).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text);
    }
    assert_eq!(rig.post("/webhooks", json!({"url": receiver.url()})).await.status, 201);
    assert_eq!(rig.post("/webhooks", json!({"url": receiver.url()})).await.status, 413);
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.get(&path).await.status, 404);
}

/// security: E13.
#[tokio::test]
async fn nothing_is_sent_into_the_servers_neighbourhood() {
    let rig = Rig::open();
    let receiver = Receiver::open(204);
    for url in [
        receiver.url(),
        format!("http://localhost:{}/", receiver.at.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::1]/".to_owned(),
        "http://[::ffff:7f00:1]/".to_owned(),
        "http://192.168.0.1/".to_owned(),
        "http://0.0.0.0/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://0x7f.1/".to_owned(),
        "gopher://example.net/".to_owned(),
        "https://user@example.net/".to_owned(),
    ] {
        let answer = rig.post("/webhooks", json!({"url": url})).await;
        assert_eq!((answer.status, &answer.json["code"]), (400, &"bad-value".into()), "{url}");
    }
}
