//! What hostile callers bring in bodies and tables: E7, E10, E12, E14, F5.

use std::sync::Arc;

use axum::http::Method;
use provost::api::routes;
use provost::api::tokens::{ADMIN_TOKEN_FILE, load_or_make};
use provost::config::Config;
use provost::expr::{Rule, Template};
use provost::time::ManualClock;
use serde_json::json;

use super::world::World;
use crate::api::{NOW, Rig};
use crate::profiles::sample::Sample;

const SCRIPT: &str = "<script>alert(1)</script>";

#[tokio::test]
async fn e07_what_people_and_devices_write_is_never_a_page() {
    let world = World::new().await;
    let rig = &world.rig;
    let device = format!("/devices/{}", world.alpha.device);
    let labels = json!({"add_tags": [SCRIPT], "subscriber": {"name": SCRIPT}});
    assert_eq!(rig.send(Method::PATCH, &device, Some(labels)).await.status, 200);
    let site = json!({"contacts": [{"name": SCRIPT, "number": "1"}]});
    assert_eq!(rig.put_json(&format!("/sites/{}", world.alpha.site), site).await.status, 200);
    let profile = json!({"profile": {"match": "true"}, "why": SCRIPT});
    assert_eq!(rig.put_json("/profiles/hq", profile).await.status, 201);
    let mut told = 0;
    for (method, path, _) in routes() {
        if method != Method::GET || path.ends_with("/stream") {
            continue;
        }
        let answer = rig.raw(method, &world.alpha.path(path), &[], "").await;
        let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        let sniffed = answer.headers.get("x-content-type-options").unwrap();
        assert_eq!(sniffed, "nosniff", "{path}");
        if answer.text.contains(SCRIPT) {
            told += 1;
            let kind = kind.unwrap();
            let is_data = [
                "application/json",
                "application/problem+json",
                "application/x-ndjson",
                "text/csv",
                "text/event-stream",
            ];
            assert!(is_data.iter().any(|data| kind.starts_with(data)), "{path}: {kind}");
        }
        // The pages that there are run nothing that stands in them.
        if kind.is_some_and(|kind| kind.starts_with("text/html")) {
            let policy = answer.headers.get("content-security-policy").unwrap();
            assert!(!policy.to_str().unwrap().contains("script-src 'unsafe-inline'"), "{path}");
        }
    }
    assert!(told >= 4, "{told}");
    // What is wrong is told as data as well.
    let wrong =
        rig.get(&format!("/devices/{}", SCRIPT.replace('<', "%3C").replace('>', "%3E"))).await;
    assert_eq!(wrong.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn e10_two_first_starts_at_once_make_one_token_and_there_is_no_default() {
    let mut made = Vec::new();
    for _ in 0..4 {
        let data = tempfile::tempdir().unwrap();
        let store = provost::store::memory(&Config::default().store);
        let clock = Arc::new(ManualClock::at(NOW));
        let start = || load_or_make(Arc::clone(&store), clock.clone(), data.path());
        let (one, two) = tokio::join!(start(), start());
        let text = std::fs::read_to_string(data.path().join(ADMIN_TOKEN_FILE)).unwrap();
        let text = text.trim().to_owned();
        let ready: Vec<_> = [one, two].into_iter().filter_map(Result::ok).collect();
        assert!(!ready.is_empty());
        for tokens in &ready {
            assert!(tokens.check(&text).await.unwrap().is_some(), "the one in the file opens");
            for default in ["", "admin", "provost", "password", "changeme", "pv_", "root"] {
                assert!(tokens.check(default).await.unwrap().is_none(), "{default}");
            }
        }
        // Whatever started first, the next start knows the same token.
        let next = start().await.unwrap();
        assert!(next.check(&text).await.unwrap().is_some());
        made.push(text);
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 4, "each installation has a token of its own");
}

#[test]
fn e12_no_rule_runs_on_or_takes_more_than_it_may() {
    let sample = Sample::new();
    let subject = sample.subject();
    let many = "0,".repeat(1500);
    let hostile = [
        // Loops inside loops over all that a rule may write down.
        format!("[{many}0].all(a, [{many}0].all(b, [{many}0].all(c, a + b + c == 0)))"),
        format!("device.serial.matches('{}')", "(a+)+".repeat(700)),
        "device.serial.matches('(a{1000}){1000}')".to_owned(),
        format!("{}true{}", "(".repeat(2000), ")".repeat(2000)),
        "!".repeat(4000) + "true",
        "x".repeat(1 << 20),
        // There is no way out of an expression.
        "read_file('/etc/passwd') == ''".to_owned(),
        "env('PATH') == ''".to_owned(),
        "http_get('http://127.0.0.1/') == ''".to_owned(),
        "import os".to_owned(),
    ];
    for rule in &hostile {
        let told = Rule::parse(rule).and_then(|rule| rule.matches(&subject));
        let start: String = rule.chars().take(40).collect();
        assert!(!matches!(told, Ok(true)), "{start}");
    }
    for template in [
        "{% for a in range(1000000000) %}{{ a }}{% endfor %}".to_owned(),
        format!("{{{{ {} }}}}", "device.serial ~ ".repeat(300) + "device.serial"),
        "{{ device.serial|center(4000000000) }}".to_owned(),
        "{{ 'x' * 4000000000 }}".to_owned(),
        "{% include '/etc/passwd' %}".to_owned(),
        "{{ config.__class__ }}".to_owned(),
    ] {
        let told = Template::parse(&template).and_then(|template| template.render(&subject));
        assert!(told.is_err() || told.is_ok_and(|text| text.len() <= 64 << 10), "{template}");
    }
}

#[tokio::test]
async fn e14_a_hostile_table_is_refused_whole_or_taken_as_it_is_meant() {
    let rig = Rig::open();
    let import = async |path: &str, table: String| {
        rig.raw(Method::POST, &format!("/api/v1/{path}"), &[], table).await
    };
    let lines: String = (0..1_000_000).map(|n| format!("{n}\n")).collect();
    let many = import("preloads/import?format=csv", format!("serial\n{lines}")).await;
    assert_eq!(many.status / 100, 4, "{}", many.text);
    assert!(many.text.len() < 64 << 10, "what is wrong is told in a bounded answer");
    let open = import("preloads/import?format=csv", "serial,site\n\"1,hq\n2,hq\n".into()).await;
    assert_eq!(open.status, 400, "{}", open.text);
    let twice = import("preloads/import?format=csv", "serial\n1\n1\n".into()).await;
    assert_eq!(twice.json["errors"][0]["line"], 3, "{}", twice.text);
    for table in ["\u{0}\u{0}\n", "serial,serial\n1,2\n", "\n\n", "nothing\n1\n"] {
        let told = import("preloads/import?format=csv", table.into()).await;
        assert_eq!(told.status, 400, "{table:?}: {}", told.text);
    }
    assert_eq!(rig.get("/preloads").await.json["items"], json!([]), "nothing of it was taken");
    let bom = "\u{feff}serial,tags,subscriber.name\r\n7,\"a;b\",\"=cmd|' /C calc'!A0\"\r\n";
    let taken = import("preloads/import?format=csv", bom.into()).await;
    assert_eq!((taken.status, &taken.json["new"]), (200, &json!(1)), "{}", taken.text);
    let stored = rig.get("/preloads/serial/7").await;
    assert_eq!(stored.json["subscriber"]["name"], "=cmd|' /C calc'!A0", "it is a text");
    let export = rig.get("/preloads/export?format=csv").await;
    for cell in csv::ReaderBuilder::new().from_reader(export.text.as_bytes()).records() {
        for cell in &cell.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
    let again = import("preloads/import?format=csv", export.text.clone()).await;
    assert_eq!(again.json["unchanged"], 1, "what is written is read back alike: {}", again.text);
}

/// Nothing that could unpack an archive is part of the program.
#[test]
fn f05_no_archive_is_unpacked_anywhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    for name in [
        "zip",
        "tar",
        "astral-tar",
        "async-tar",
        "tokio-tar",
        "async_zip",
        "sevenz-rust",
        "unrar",
        "cpio",
        "ar",
    ] {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}
