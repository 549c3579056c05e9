//! Phones from files and into files.

use axum::http::Method;
use serde_json::{Value, json};

use super::Rig;
use super::rig::Answer;

async fn import(rig: &Rig, query: &str, file: &str) -> Answer {
    let path = format!("/api/v1/phones/import?{query}");
    rig.raw(Method::POST, &path, &[], file.to_owned()).await
}

/// The faults as `line column problem`.
fn faults(answer: &Answer) -> Vec<String> {
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (400, &json!("bad-import")),
        "{}",
        answer.text
    );
    let told = |fault: &Value| {
        format!(
            "{} {} {}",
            fault["line"],
            fault["column"].as_str().unwrap_or("-"),
            fault["problem"]
        )
    };
    answer.json["errors"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn a_table_is_imported_as_a_whole() {
    let rig = Rig::open();
    let table = "\u{feff}model,mac,line1_user,line1_server,line1_password,key2_kind,key2_value,setting:SIP/SIP  Port\r\n\
                 X4,0C:38:3E:00:00:01,20,pbx,\"a,\"\"b\",blf,21,5080\r\n\
                 \r\n\
                 X6,0c383e000002,,,,,,\r\n";
    let dry = import(&rig, "format=csv&dry_run=true", table).await;
    assert_eq!(dry.status, 200, "{}", dry.text);
    assert_eq!((&dry.json["new"], &dry.json["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(rig.get("/phones").await.json["items"], json!([]), "nothing was done");
    let done = import(&rig, "format=csv", table).await;
    assert_eq!(done.json["items"][1], json!({"mac": "0c383e000002", "line": 4, "what": "new"}));
    let phone = rig.store.phone("0c383e000001".parse().unwrap()).await.unwrap().unwrap();
    let password = rig.vault.unseal(&phone.accounts[0].password).unwrap();
    assert_eq!(password.expose(), "a,\"b");
    assert_eq!(&*phone.keys[0].value, "21");
    assert_eq!(&*phone.settings["SIP/SIP  Port"], "5080");

    let again = import(&rig, "format=csv", table).await;
    assert_eq!((&again.json["unchanged"], &again.json["changed"]), (&json!(2), &json!(0)));
    let change = "mac,line1_user,key2_kind,key2_value\n0c383e000001,22,,\n";
    let changed = import(&rig, "format=csv", change).await;
    assert_eq!(changed.json["changed"], 1, "{}", changed.text);
    let phone = rig.store.phone("0c383e000001".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((&*phone.accounts[0].user, &*phone.accounts[0].server), ("22", "pbx"));
    assert_eq!(rig.vault.unseal(&phone.accounts[0].password).unwrap(), password, "it stays");
    assert!(phone.keys.is_empty());
}

#[tokio::test]
async fn everything_wrong_is_told_with_its_line_and_nothing_is_imported() {
    let rig = Rig::open();
    let table = "mac,model,site,line1_user,line1_server,line1_port,line1_transport,enabled,setting:NoModule\n\
                 0c383e000001,X4,,20,pbx,,,,\n\
                 nonsense,X4,,,,,,,\n\
                 0c383e000003,,,,,,,,\n\
                 0c383e000001,X4,,,,,,,\n\
                 0c383e000005,X4,nowhere,20,p b x,99999,smoke,maybe,1\n\
                 020000000006,X4,,,,,,,\n\
                 0c383e000007,X4\n\
                 0c383e000008,X4,,***,pbx,,,,\n";
    let answer = import(&rig, "format=csv", table).await;
    let told = faults(&answer);
    for (number, begins) in [
        "3 mac a MAC",
        "4 model ",
        "5 mac 0c383e000001 stands on line 2 too",
        "6 line1_port ",
        "6 line1_transport udp, tcp or tls",
        "6 enabled true or false",
        "6 line1_server not empty, without blanks",
        "6 setting:NoModule ",
        "6 site there is no such site",
        "7 vendor ",
        "8 - 2 cells where the heading has 9",
    ]
    .iter()
    .enumerate()
    {
        let mut parts = begins.splitn(3, ' ');
        let (line, column, words) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or_default());
        let found =
            told.iter().any(|fault| fault.starts_with(&format!("{line} {column} \"{words}")));
        assert!(found, "{number} {begins}: {told:#?}");
    }
    assert!(answer.json["detail"].as_str().unwrap().ends_with("nothing was imported"));
    assert_eq!(rig.get("/phones").await.json["items"], json!([]));
    for (table, words) in [
        ("", "line of column names"),
        ("model\nX4\n", "needs this column"),
        ("mac,colour\n", "no such column"),
        ("mac,model,MAC\n", "twice"),
    ] {
        let told = faults(&import(&rig, "format=csv", table).await);
        assert!(told[0].contains(words), "{table}: {told:?}");
    }
    let many = "mac\n".to_owned() + &"x\n".repeat(5000);
    let answer = import(&rig, "format=csv", &many).await;
    assert_eq!(faults(&answer).len(), 100, "a hundred are told");
    assert!(answer.json["detail"].as_str().unwrap().contains("and 4999 more"));
    assert_eq!(import(&rig, "format=xml", "").await.status, 400);
}

#[tokio::test]
async fn json_faults_have_lines_too() {
    let rig = Rig::open();
    let file = "[\n{\"mac\": \"0c383e000001\", \"model\": \"X4\"},\n{\"model\": \"X4\"},\n\n\
                {\"mac\": \"0c383e000002\", \"model\": \"X4\", \"colour\": 1}\n]";
    let told = faults(&import(&rig, "format=json", file).await);
    assert!(told[0].starts_with("3 mac") && told[1].contains("colour"), "{told:?}");
    assert!(told[1].starts_with("5 "), "{told:?}");
    assert!(faults(&import(&rig, "format=json", "[\n{]").await)[0].starts_with("2 "));
    assert_eq!(rig.get("/phones").await.json["items"], json!([]));
}

#[tokio::test]
async fn what_is_exported_can_be_imported_elsewhere() {
    let from = Rig::open();
    let body = json!({"model": "X4", "config_key": "ab".repeat(32), "names": ["lobby.cfg"],
        "settings": {"WEB/Password": "s3cret", "SIP/Name": "=1+1", "provost:vlan": "5"},
        "keys": [{"position": 3, "kind": "speed-dial", "value": "+4930", "label": "@home"}],
        "accounts": [{"line": 1, "user": "20", "server": "pbx", "password": "canary"}]});
    assert_eq!(from.put_json("/phones/0c383e000001", body).await.status, 201);
    assert_eq!(from.put_json("/phones/0c383e000002", json!({"model": "X6"})).await.status, 201);
    for format in ["csv", "json"] {
        let hidden = from.get(&format!("/phones/export?format={format}")).await;
        assert!(
            !hidden.text.contains("canary") && !hidden.text.contains("s3cret"),
            "{}",
            hidden.text
        );
        let again = import(&from, &format!("format={format}"), &hidden.text).await;
        assert_eq!(again.json["unchanged"], 2, "masks keep what is stored: {}", again.text);
        let file = from.get(&format!("/phones/export?format={format}&secrets=show")).await;
        assert_eq!(file.status, 200);
        if format == "csv" {
            assert!(file.text.contains("'=1+1") && file.text.contains("'+4930"), "{}", file.text);
        }
        let to = Rig::open();
        let done = import(&to, &format!("format={format}"), &file.text).await;
        assert_eq!(done.json["new"], 2, "{}", done.text);
        let exported = to.get(&format!("/phones/export?format={format}&secrets=show")).await;
        assert_eq!(exported.text, file.text);
    }
    let one = from.get("/phones/export?model=X6").await;
    assert_eq!(one.json.as_array().map(Vec::len), Some(1));
    assert_eq!(from.get("/phones/export?secrets=yes").await.status, 400);
}

#[tokio::test]
async fn an_export_is_streamed_however_many_phones_there_are() {
    let rig = Rig::open();
    let mut table = "mac,model,setting:SIP/Name\n".to_owned();
    for number in 0..1200 {
        table.push_str(&format!("0c383e{number:06x},X4,{}\n", "x".repeat(200)));
    }
    // Only the last has a line, for which the table has its columns nevertheless.
    assert_eq!(import(&rig, "format=csv", &table).await.json["new"], 1200);
    let last = "mac,line9_user,line9_server,line9_password\n0c383e0004af,9,pbx,x\n";
    assert_eq!(import(&rig, "format=csv", last).await.json["changed"], 1);
    let csv = rig.get("/phones/export?format=csv").await;
    assert_eq!(csv.status, 200);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"phones.csv\"");
    assert!(!csv.headers.contains_key("content-length"), "its length is not known beforehand");
    assert_eq!(csv.text.lines().count(), 1201);
    assert!(csv.text.lines().next().unwrap().contains("line9_user"), "{}", &csv.text[..300]);
    let lines = rig.get("/phones/export?format=ndjson").await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let read = lines.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(read.filter(|phone| phone["model"] == "X4").count(), 1200);
    let json = rig.get("/phones/export").await;
    assert_eq!(json.json.as_array().map(Vec::len), Some(1200));
    for format in ["csv", "ndjson", "json"] {
        let none = rig.get(&format!("/phones/export?format={format}&model=none")).await;
        assert_eq!(none.status, 200, "{}", none.text);
    }
    assert_eq!(rig.get("/phones/export?format=xml").await.status, 400);
}

#[tokio::test]
async fn ten_thousand_phones_are_one_commit() {
    let rig = Rig::open();
    let mut table = "mac,model,line1_user,line1_server,line1_password\n".to_owned();
    for number in 0..10_000 {
        table.push_str(&format!("0c383e{number:06x},X4,{number},pbx,secret{number}\n"));
    }
    let done = import(&rig, "format=csv", &table).await;
    assert_eq!(done.json["new"], 10_000, "{}", done.text);
    let last = rig.get("/phones/0c383e00270f").await;
    assert_eq!(last.json["accounts"][0]["user"], "9999", "{}", last.text);
    let more = table + "0c383e00270f,X4,1,pbx,x\n";
    let refused = import(&rig, "format=csv", &more).await;
    assert!(faults(&refused)[0].starts_with("10002 mac"), "{}", refused.text);
}
