//! `GET /api/docs`: the OpenAPI document as a page for people.
//!
//! Written here from the document itself, without any script: there is nothing to
//! be loaded from elsewhere, and nothing that could run. It stands behind a token
//! like all else; a browser asks for one as the password of Basic.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How deep schemas are told inside others.
const DEPTH: usize = 4;

/// The methods in the order in which they are told.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What the page looks like; no colours are fixed but those of the methods.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}\
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.5rem;border:1px solid #8885}\
h2{border-bottom:1px solid #8885}details{margin:.3rem 0;border:1px solid #8885;border-radius:4px;padding:.3rem .6rem}\
summary{cursor:pointer}table{border-collapse:collapse}td,th{border:1px solid #8885;padding:.2rem .5rem;text-align:left;vertical-align:top}\
.m{display:inline-block;min-width:4.5rem;font-weight:bold}nav a{margin-right:.8rem}.q{opacity:.7}";

/// The page and its policy, made once: the document does not change while the
/// server runs.
static PAGE: LazyLock<(String, Option<HeaderValue>)> = LazyLock::new(|| {
    let document = serde_json::to_value(super::openapi::document()).unwrap_or_default();
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    (page(&document), HeaderValue::try_from(policy).ok())
});

/// This interface as a page to browse
#[utoipa::path(get, path = "/api/docs", tag = "server", operation_id = "browse",
    responses((status = 200, content((String = "text/html")))))]
pub(super) async fn browse() -> Response {
    let (page, policy) = &*PAGE;
    let mut response = page.as_str().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

/// One operation of the document.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    told: &'a Value,
}

fn page(document: &Value) -> String {
    let title = text(&document["info"]["title"]);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title} {}</h1><p>{}</p>\
         <p>The document itself: <a href=\"/api/v1/openapi.json\">openapi.json</a></p>",
        text(&document["info"]["version"]),
        text(&document["info"]["description"]),
    );
    let groups = groups(document);
    out.push_str("<nav>");
    for tag in groups.keys() {
        let _ = write!(out, "<a href=\"#{0}\">{0}</a>", escaped(tag));
    }
    out.push_str("</nav>");
    for (tag, operations) in &groups {
        let _ = write!(out, "<h2 id=\"{0}\">{0}</h2>", escaped(tag));
        for operation in operations {
            tell(&mut out, document, operation);
        }
    }
    out.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            out,
            "<details id=\"schema-{0}\"><summary><code>{0}</code></summary><p>{1}</p><pre>{2}</pre></details>",
            escaped(name),
            text(&schema["description"]),
            shape(schema, 0),
        );
    }
    out.push_str("</body></html>\n");
    out
}

/// Operations by their tag.
fn groups(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let told = &item[method];
            if told.is_object() {
                let tag = told["tags"][0].as_str().unwrap_or("other");
                groups.entry(tag).or_default().push(Operation { method, path, told });
            }
        }
    }
    groups
}

fn tell(out: &mut String, document: &Value, operation: &Operation<'_>) {
    let Operation { method, path, told } = operation;
    let _ = write!(
        out,
        "<details id=\"{}\"><summary><span class=\"m\">{}</span><code>{}</code> {}</summary>",
        text(&told["operationId"]),
        method.to_uppercase(),
        escaped(path),
        text(&told["summary"]),
    );
    if told["description"].is_string() {
        let _ = write!(out, "<p>{}</p>", text(&told["description"]));
    }
    tell_parameters(out, told);
    let body = &told["requestBody"]["content"];
    for (kind, content) in body.as_object().into_iter().flatten() {
        let shape = shape(&content["schema"], 0);
        let _ = write!(out, "<h4>Body, <code>{}</code></h4><pre>{shape}</pre>", escaped(kind));
    }
    out.push_str("<h4>Answers</h4><table><tr><th>status</th><th>what</th></tr>");
    for (status, answer) in told["responses"].as_object().into_iter().flatten() {
        let _ = write!(out, "<tr><td>{}</td><td>{}", escaped(status), text(&answer["description"]));
        for (kind, content) in answer["content"].as_object().into_iter().flatten() {
            let shape = shape(&content["schema"], 0);
            let _ = write!(out, "<div><code>{}</code></div><pre>{shape}</pre>", escaped(kind));
        }
        out.push_str("</td></tr>");
    }
    let _ = write!(
        out,
        "</table><h4>By hand</h4><pre>{}</pre></details>",
        escaped(&by_hand(document, operation))
    );
}

fn tell_parameters(out: &mut String, told: &Value) {
    let Some(parameters) = told["parameters"].as_array().filter(|all| !all.is_empty()) else {
        return;
    };
    out.push_str("<h4>Parameters</h4><table><tr><th>name</th><th>in</th><th>what</th></tr>");
    for parameter in parameters {
        let needed = if parameter["required"] == true { ", needed" } else { "" };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}{needed}</td><td>{} <span class=\"q\">{}</span></td></tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            text(&parameter["description"]),
            shape(&parameter["schema"], 1),
        );
    }
    out.push_str("</table>");
}

/// The same with curl.
fn by_hand(document: &Value, operation: &Operation<'_>) -> String {
    let Operation { method, path, told } = operation;
    let mut line = String::from("curl -H \"Authorization: Bearer $TOKEN\"");
    if *method != "get" {
        let _ = write!(line, " -X {}", method.to_uppercase());
    }
    let content = told["requestBody"]["content"].as_object().and_then(|all| all.iter().next());
    if let Some((kind, content)) = content {
        let _ = write!(line, " -H 'Content-Type: {kind}'");
        match kind.as_str() {
            "application/json" => {
                let _ = write!(line, " -d '{}'", example(document, &content["schema"], 0));
            }
            _ => line.push_str(" --data-binary @FILE"),
        }
    }
    let path = path.replace(['{', '}'], "").replace("/id", "/ID");
    let _ = write!(line, " \"$SERVER{path}\"");
    line
}

/// The members that a body must have, each with a value of its type.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if depth > DEPTH {
        return Value::Null;
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].get(0).or(schema["anyOf"].get(0)) {
        return example(document, first, depth + 1);
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "string" => "…".into(),
        "integer" | "number" => 1.into(),
        "boolean" => true.into(),
        "array" => Value::Array(vec![example(document, &schema["items"], depth + 1)]),
        "object" => {
            let needed = schema["required"].as_array().into_iter().flatten();
            let members = needed.filter_map(Value::as_str).map(|name| {
                (name.to_owned(), example(document, &schema["properties"][name], depth + 1))
            });
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(path) => document.pointer(path).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A schema in the words of a page, escaped.
fn shape(schema: &Value, depth: usize) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
    }
    for (word, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " &amp; ")] {
        if let Some(parts) = schema[word].as_array() {
            let parts: Vec<String> = parts.iter().map(|part| shape(part, depth)).collect();
            return parts.join(between);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| escaped(&word.to_string())).collect();
        return words.join(" | ");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    let told = kinds.iter().map(|kind| match *kind {
        "array" => format!("[{}]", shape(&schema["items"], depth)),
        "object" if depth < DEPTH && schema["properties"].is_object() => members(schema, depth),
        kind => escaped(kind),
    });
    let mut told = told.collect::<Vec<_>>().join(" | ");
    if let Some(format) = schema["format"].as_str() {
        let _ = write!(told, " ({})", escaped(format));
    }
    told
}

/// The members of an object, one a line.
fn members(schema: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let mut out = String::from("{\n");
    let needed = schema["required"].as_array();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let is_needed = needed.is_some_and(|all| all.iter().any(|one| one == name.as_str()));
        let mark = if is_needed { "" } else { "?" };
        let _ = write!(out, "{indent}{}{mark}: {}", escaped(name), shape(member, depth + 1));
        if let Some(told) = member["description"].as_str() {
            let told = told.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let _ = write!(out, " <span class=\"q\">// {}</span>", escaped(&told));
        }
        out.push('\n');
    }
    let _ = write!(out, "{}}}", "  ".repeat(depth));
    out
}

/// A text of the document, escaped.
fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// A text as it may stand in a page and in the quotes of an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_operation_is_told_and_nothing_runs() {
        let page = &PAGE.0;
        let dialect = crate::api::genieacs::table();
        for (method, path, _) in crate::api::routes() {
            // What is told of in a page of its own.
            if dialect.iter().any(|route| route.path == path) {
                continue;
            }
            let line = format!("<span class=\"m\">{method}</span><code>{path}</code>");
            assert!(page.contains(&line), "{method} {path}");
        }
        for active in ["<script", "src=", "href=\"http", "javascript:", " onclick"] {
            assert!(!page.contains(active), "{active}");
        }
        let policy = PAGE.1.as_ref().unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn no_text_of_the_document_is_markup() {
        let evil = "</pre><script>alert(1)</script>\"'";
        let document = json!({
            "info": {"title": evil, "version": evil, "description": evil},
            "paths": {"/x<b>": {"get": {
                "tags": [evil], "operationId": evil, "summary": evil, "description": evil,
                "parameters": [{"name": evil, "in": evil, "description": evil,
                    "schema": {"type": evil, "format": evil}}],
                "requestBody": {"content": {evil: {"schema": {"enum": [evil]}}}},
                "responses": {evil: {"description": evil, "content": {evil: {"schema":
                    {"type": "object", "properties": {evil: {"type": "string", "description": evil}}}}}}},
            }}},
            "components": {"schemas": {evil: {"description": evil, "$ref": evil}}},
        });
        let page = page(&document);
        assert!(
            !page.contains("<script>") && !page.contains("<b>") && !page.contains("alert(1)</")
        );
    }
}
