//! The calls that were recorded from GenieACS 1.2.16, made here. What differs from the
//! original stands in `docs/GENIEACS.md`.

use axum::http::Method;
use serde_json::{Value, json};

use super::{ID, call, escaped, header, with_device};

/// What is looked at in an answer's body.
enum Body {
    /// It is this.
    Is(&'static str),
    /// It begins so.
    Begins(&'static str),
    /// It is a list, framed line by line, of these documents.
    List(Value),
    /// It is a document with these members at least.
    Has(Value),
    /// Whatever it is.
    Any,
}

use Body::{Any, Begins, Has, Is, List};

struct Call {
    method: &'static str,
    path: String,
    body: &'static str,
    status: u16,
    /// Where it is not the usual one.
    reason: Option<&'static str>,
    headers: &'static [(&'static str, &'static str)],
    told: Body,
}

fn made(
    method: &'static str,
    path: impl Into<String>,
    body: &'static str,
    status: u16,
    told: Body,
) -> Call {
    Call { method, path: path.into(), body, status, reason: None, headers: &[], told }
}

impl Call {
    fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}

const NOT_ALLOWED: Body = Is("405 Method Not Allowed");

fn device(rest: &str) -> String {
    format!("/devices/{ID}{rest}")
}

fn query(text: &str) -> String {
    format!("query={}", escaped(text))
}

#[rustfmt::skip]
fn calls() -> Vec<Call> {
    let only = query(&json!({"_id": ID}).to_string());
    let identity = json!({"_Manufacturer": "LabCPE", "_OUI": "0A1B2C", "_ProductClass": "SIM300", "_SerialNumber": "PROBED0000000"});
    let time = "2026-11-20T20:05:00.000Z";
    vec![
        made("GET", format!("/devices?{only}&projection=_id,_lastInform,_registered,_tags,_deviceId,InternetGatewayDevice.DeviceInfo.SoftwareVersion"), "", 200, List(json!([{
            "_id": ID, "_lastInform": time, "_registered": time, "_deviceId": identity,
            "InternetGatewayDevice": {"DeviceInfo": {"SoftwareVersion": {"_object": false, "_value": "3.2.1-b77", "_type": "xsd:string", "_timestamp": time}}},
        }]))).with(&[("total", "1"), ("content-type", "application/json")]),
        made("GET", format!("/devices/?projection=_id&limit=2&skip=1&sort={}", escaped(r#"{"_id":-1}"#)), "", 200, Is("[\n\n]")).with(&[("total", "1")]),
        made("GET", format!("/devices?{}&projection=_id&limit=1", query(r#"{"InternetGatewayDevice.DeviceInfo.SoftwareVersion":"3.2*"}"#)), "", 200, List(json!([{"_id": ID}]))).with(&[("total", "1")]),
        made("HEAD", "/devices", "", 200, Is("")).with(&[("total", "1"), ("content-type", "application/json")]),
        made("GET", "/devices?query=%7Bbad", "", 400, Begins("SyntaxError: ")),
        made("GET", device(""), "", 405, NOT_ALLOWED).with(&[("allow", "DELETE")]),
        made("GET", "/nosuch", "", 404, Is("404 Not Found")),
        made("GET", "/", "", 404, Is("404 Not Found")),
        made("POST", "/devices", "", 405, NOT_ALLOWED).with(&[("allow", "GET, HEAD")]),
        made("POST", device("/tags/testing"), "", 200, Is("")),
        made("POST", "/devices/nosuch/tags/testing", "", 404, Is("No such device")),
        made("GET", format!("/devices?{}&projection=_tags", query(r#"{"_tags":"testing"}"#)), "", 200, List(json!([{"_id": ID, "_tags": ["testing"]}]))),
        made("DELETE", device("/tags/testing"), "", 200, Is("")),
        made("PUT", device("/tags/testing"), "", 405, NOT_ALLOWED).with(&[("allow", "POST, DELETE")]),
        made("POST", device("/tasks"), r#"{"name":"getParameterValues","parameterNames":["InternetGatewayDevice.Time.Status"]}"#, 202,
            Has(json!({"name": "getParameterValues", "parameterNames": ["InternetGatewayDevice.Time.Status"], "device": ID, "timestamp": time})))
            .with(&[("content-type", "application/json")]),
        made("POST", device("/tasks"), r#"{"name":"setParameterValues","parameterValues":[["InternetGatewayDevice.Time.NTPServer1","ntp.example","xsd:string"]],"expiry":3600}"#, 202,
            Has(json!({"name": "setParameterValues", "parameterValues": [["InternetGatewayDevice.Time.NTPServer1", "ntp.example", "xsd:string"]], "expiry": "2026-11-20T21:05:00.000Z"}))),
        made("POST", device("/tasks?connection_request&timeout=1000"), r#"{"name":"reboot"}"#, 202, Has(json!({"name": "reboot", "device": ID})))
            .reason("Invalid connection request URL").with(&[("x-reason", "Invalid connection request URL")]),
        made("POST", device("/tasks?connection_request"), "", 504, Is("Invalid connection request URL"))
            .reason("Invalid connection request URL").with(&[("x-reason", "Invalid connection request URL")]),
        made("POST", device("/tasks"), "", 400, Begins("Error: a task is expected")),
        made("POST", device("/tasks"), "{bad", 400, Begins("SyntaxError: ")),
        made("POST", "/devices/nosuch/tasks", r#"{"name":"reboot"}"#, 404, Is("No such device")),
        made("PUT", "/presets/p1", r#"{"weight":0,"channel":"default","precondition":"","configurations":[]}"#, 200, Is("")),
        made("PUT", "/presets/p1", "{bad", 400, Begins("SyntaxError: ")),
        made("GET", format!("/presets?{}", query(r#"{"_id":"p1"}"#)), "", 200,
            List(json!([{"_id": "p1", "weight": 0, "channel": "default", "precondition": "", "configurations": []}]))),
        made("DELETE", "/presets/p1", "", 200, Is("")),
        made("GET", "/presets/p1", "", 405, NOT_ALLOWED).with(&[("allow", "PUT, DELETE")]),
        made("PUT", "/provisions/x1", r#"log("hi");"#, 200, Is("")),
        made("PUT", "/provisions/x1", r#"log("hi"#, 400, Is("SyntaxError: Invalid or unexpected token")),
        made("GET", format!("/provisions?{}", query(r#"{"_id":"x1"}"#)), "", 200, List(json!([{"_id": "x1", "script": "log(\"hi\");"}]))),
        made("DELETE", "/provisions/x1", "", 200, Is("")),
        made("PUT", "/virtual_parameters/v1", r#"return {writable:false,value:["1","xsd:string"]};"#, 200, Is("")),
        made("GET", "/virtual_parameters", "", 200, List(json!([{"_id": "v1", "script": "return {writable:false,value:[\"1\",\"xsd:string\"]};"}]))).with(&[("total", "1")]),
        made("GET", "/virtualParameters", "", 200, Any).with(&[("total", "1")]),
        made("DELETE", "/virtual_parameters/v1", "", 200, Is("")),
        made("PUT", "/objects/o1", r#"{"_keys":["a"],"a":1}"#, 200, Is("")),
        made("GET", "/objects", "", 200, List(json!([{"_id": "o1", "_keys": ["a"], "a": 1}]))),
        made("DELETE", "/objects/o1", "", 200, Is("")),
        // From here on the recorded original lay on the ground: what it would have said
        // is known from its source.
        made("DELETE", "/files/fw.bin", "", 404, Is("404 Not Found")),
        made("GET", "/faults", "", 200, Is("[\n\n]")).with(&[("total", "0")]),
        made("DELETE", "/faults/nosuch:default", "", 200, Is("")),
        made("DELETE", "/devices/nosuch", "", 200, Is("")),
        made("GET", "/users", "", 404, Is("404 Not Found")),
        made("GET", "/permissions", "", 404, Is("404 Not Found")),
        made("GET", "/config", "", 404, Is("404 Not Found")),
        made("POST", device("/tasks"), r#"{"name":"nosuch"}"#, 400, Is("Error: Invalid task name")),
        made("DELETE", "/tasks/notanobjectid", "", 404, Is("Task not found")),
        made("GET", "/devices?query=%7B%22%24and%22%3A1%7D", "", 400, Begins("Error: $and")),
        made("GET", "/operations", "", 200, Is("[\n\n]")),
        made("GET", "/cache", "", 200, Is("[\n\n]")),
        made("GET", "/locks", "", 200, Is("[\n\n]")),
    ]
}

#[tokio::test]
async fn each_recorded_call_is_answered_as_the_original_did() {
    let rig = with_device().await;
    for made in calls() {
        let name = format!("{} {} {}", made.method, made.path, made.body);
        let answer = call(&rig, made.method, &made.path, made.body).await;
        assert_eq!(answer.status, made.status, "{name}: {}", answer.text);
        assert_eq!(answer.reason.as_deref(), made.reason, "{name}");
        assert_eq!(header(&answer, "genieacs-version"), "1.2.16+provost", "{name}");
        for (header_name, value) in made.headers {
            assert_eq!(header(&answer, header_name), *value, "{name}: {header_name}");
        }
        match made.told {
            Is(text) => assert_eq!(answer.text, text, "{name}"),
            Begins(text) => assert!(answer.text.starts_with(text), "{name}: {}", answer.text),
            List(documents) => {
                assert!(answer.text.starts_with("[\n") && answer.text.ends_with("\n]"), "{name}");
                assert_eq!(answer.json, documents, "{name}");
            }
            Has(members) => {
                for (member, value) in members.as_object().unwrap() {
                    assert_eq!(answer.json[member], *value, "{name}: {member}");
                }
                let id = answer.json["_id"].as_str().unwrap();
                assert!(
                    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{name}: {id}"
                );
            }
            Any => {}
        }
    }
}

#[tokio::test]
async fn tasks_are_listed_retried_and_deleted_by_their_ids() {
    let rig = with_device().await;
    for name in ["reboot", "factoryReset", "reboot"] {
        let made = call(&rig, "POST", &device("/tasks"), &json!({"name": name}).to_string()).await;
        assert_eq!((made.status, made.reason), (202, None), "{}", made.text);
    }
    let list = format!("/tasks?{}", query(&json!({"device": ID}).to_string()));
    let listed = call(&rig, "GET", &list, "").await;
    assert_eq!((header(&listed, "total"), listed.json.as_array().unwrap().len()), ("3", 3));
    // One document a line, oldest first.
    assert_eq!(listed.text.lines().count(), 5, "{}", listed.text);
    let names: Vec<&str> =
        listed.json.as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["reboot", "factoryReset", "reboot"]);
    let id = listed.json[0]["_id"].as_str().unwrap();
    let by_id =
        call(&rig, "GET", &format!("/tasks?{}", query(&json!({"_id": id}).to_string())), "").await;
    assert_eq!(by_id.json, json!([listed.json[0]]));

    let task = format!("/tasks/{id}");
    assert_eq!(call(&rig, "POST", &format!("{task}/retry"), "").await.status, 200);
    let wrong = call(&rig, "PUT", &task, "").await;
    assert_eq!((wrong.status, header(&wrong, "allow")), (405, "PUT DELETE"));
    assert_eq!(call(&rig, "GET", &format!("{task}/retry"), "").await.status, 405);
    assert_eq!(call(&rig, "POST", &format!("{task}/dance"), "").await.status, 404);
    assert_eq!(call(&rig, "DELETE", &task, "").await.status, 200);
    let again = call(&rig, "DELETE", &task, "").await;
    assert_eq!((again.status, again.text.as_str()), (404, "Task not found"));
    assert_eq!(header(&call(&rig, "HEAD", &list, "").await, "total"), "2");
}

#[tokio::test]
async fn files_are_brought_listed_replaced_and_removed_by_name() {
    let rig = with_device().await;
    let headers = [
        ("fileType", "1 Firmware Upgrade Image"),
        ("oui", "0A1B2C"),
        ("productClass", "SIM300"),
        ("version", "2"),
    ];
    let put = async |name: &str, content: &'static str| {
        let path = format!("/files/{name}");
        rig.raw(Method::PUT, &path, &headers, content).await
    };
    let made = put("fw.bin", "hello").await;
    assert_eq!((made.status, made.text.as_str()), (201, ""));
    let listed = call(&rig, "GET", "/files", "").await;
    assert_eq!(
        listed.json,
        json!([{"_id": "fw.bin", "length": 5, "chunkSize": 261_120, "uploadDate": "2026-11-20T20:05:00.000Z", "filename": "fw.bin",
            "metadata": {"fileType": "1 Firmware Upgrade Image", "oui": "0A1B2C", "productClass": "SIM300", "version": "2"}}])
    );
    // The same content under two names is one file.
    assert_eq!(put("copy.bin", "hello").await.status, 201);
    assert_eq!(rig.get("/files").await.json["items"].as_array().unwrap().len(), 1);
    // Another content takes the place of the first.
    assert_eq!(put("copy.bin", "other").await.status, 201);
    assert_eq!(call(&rig, "DELETE", "/files/copy.bin", "").await.status, 200);
    assert_eq!(put("fw.bin", "second").await.status, 201);
    let ours = rig.get("/files").await;
    assert_eq!(ours.json["items"].as_array().unwrap().len(), 1, "{}", ours.text);
    assert_eq!(ours.json["items"][0]["size"], 6);

    // A download by name, as both generations of clients ask for it.
    for task in [
        json!({"name": "download", "fileName": "fw.bin", "fileType": "1 Firmware Upgrade Image"}),
        json!({"name": "download", "file": "fw.bin"}),
    ] {
        let asked = call(&rig, "POST", &device("/tasks"), &task.to_string()).await;
        assert_eq!(
            (asked.status, &asked.json["fileName"]),
            (202, &json!("fw.bin")),
            "{}",
            asked.text
        );
    }
    let missing = json!({"name": "download", "fileName": "nosuch"}).to_string();
    assert_eq!(call(&rig, "POST", &device("/tasks"), &missing).await.status, 404);

    assert_eq!(call(&rig, "DELETE", "/files/fw.bin", "").await.status, 200);
    assert_eq!(call(&rig, "DELETE", "/files/fw.bin", "").await.status, 404);
    assert_eq!(call(&rig, "GET", "/files", "").await.text, "[\n\n]");
    // A file that came by our own interface has its name as well.
    let ours = rig.raw(Method::POST, "/api/v1/files?name=x.bin", &[], "x").await;
    assert_eq!(ours.status, 201);
    assert_eq!(call(&rig, "GET", "/files", "").await.json[0]["_id"], "x.bin");
    assert_eq!(call(&rig, "DELETE", "/files/x.bin", "").await.status, 200);
    for odd in ["..", "%2e%2e%2fx", "a%5Cb", "%00"] {
        let status = put(odd, "x").await.status;
        assert!([400, 404, 405].contains(&status), "{odd}: {status}");
    }
}
