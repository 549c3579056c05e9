//! `provost device wake`: asking a device to open a session, and telling what
//! came of each way.

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::Output;

pub(super) async fn run(
    client: &Client,
    id: &str,
    wait: u32,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let path = format!("/devices/{}/wake?wait={wait}", encode(id));
    let patience = Duration::from_secs(u64::from(wait).saturating_add(10));
    let told = client.waiting(Method::POST, &path, None, patience).await?;
    output.print(&told, |out, told| {
        let text = |value: &Value, key: &str| clean(value[key].as_str().unwrap_or_default());
        for one in told["tried"].as_array().into_iter().flatten() {
            writeln!(out, "  {:5} {}", text(one, "way"), text(one, "detail"))?;
        }
        match told["result"].as_str() {
            Some("woken") => writeln!(out, "woken"),
            _ => writeln!(out, "{}", text(told, "detail")),
        }
    })?;
    match told["result"].as_str() {
        Some("woken" | "sent") => Ok(()),
        _ => Err(CliError::NotWoken { id: clean(id) }),
    }
}
