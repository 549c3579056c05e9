//! `GET /ping/<host>`: the machine's own ping program, never through a shell.

use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::super::problem::ApiError;
use super::super::state::{Shared, State as Inner};
use super::ids;
use super::reply::{self, Refusal};
use crate::access::Principal;
use crate::find::{Field, Filter, Test, Value};
use crate::schema::is_host;

/// What stands before the host: three packets, three seconds, no names looked up.
/// What comes behind the last is a host, whatever it begins with.
const ARGUMENTS: [&str; 6] = ["-n", "-c", "3", "-w", "3", "--"];

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that is answered, in bytes.
const MAX_OUTPUT: usize = 16 << 10;

/// How many run at once.
static RUNNING: Semaphore = Semaphore::const_new(8);

/// `GET /ping/<host>`.
pub(super) async fn ping(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let host = ids::name(uri.path(), 1)?;
    if !is_target(&host) {
        return Err(Refusal::bad("Error: an IP address or a host name is expected"));
    }
    if !is_within(&state, &principal, &host).await? {
        return Err(Refusal::Nothing);
    }
    let Ok(_permit) = RUNNING.try_acquire() else {
        return Ok(reply::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Error: too many pings at once".to_owned(),
        ));
    };
    Ok(run(&state.deps.config.northbound.ping, &host).await)
}

/// Whether a text names a host and nothing else.
fn is_target(host: &str) -> bool {
    host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == ':') && is_host(host)
}

/// Whether the principal may ask for a host: all, who sees the whole installation;
/// else the addresses of the devices that are seen.
async fn is_within(state: &Inner, principal: &Principal, host: &str) -> Result<bool, ApiError> {
    if principal.reach.is_whole() {
        return Ok(true);
    }
    let Ok(address) = host.parse::<IpAddr>() else { return Ok(false) };
    let text = address.to_canonical().to_string();
    let filter = Filter::Is(Field::Address, Test::Equals(Value::Text(text.into())));
    Ok(state.deps.finder.count(&filter, &principal.reach).await? > 0)
}

async fn run(program: &std::path::Path, host: &str) -> Response {
    let failed =
        |why: String| reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("Error: {why}"));
    let child = Command::new(program)
        .args(ARGUMENTS)
        .arg(host)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, child).await {
        Err(_) => return failed("the ping program did not end".to_owned()),
        Ok(Err(error)) => {
            let name = program.display();
            return failed(format!(
                "the ping program {name} cannot be run ({error}); northbound.ping names it"
            ));
        }
        Ok(Ok(output)) => output,
    };
    let told = |bytes: &[u8]| {
        let end = bytes.len().min(MAX_OUTPUT);
        String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
    };
    let (out, problem) = (told(&output.stdout), told(&output.stderr));
    // 1 says that nobody answered, which is what was asked.
    match output.status.code() {
        Some(0 | 1) if !out.is_empty() => reply::text(StatusCode::OK, out),
        Some(2) => reply::text(StatusCode::NOT_FOUND, format!("Error: {}", problem.trim())),
        _ => failed(problem.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_target;

    #[test]
    fn f1_f2_a_host_is_a_host_and_nothing_else() {
        for host in ["192.0.2.1", "2001:db8::1", "::1", "router.example.net", "a-b.example"] {
            assert!(is_target(host), "{host}");
        }
        for host in [
            ";id",
            "$(id)",
            "a;id",
            "`id`",
            "a b",
            "a\nb",
            "-f",
            "-I eth0",
            "--help",
            "",
            ".",
            "a|b",
            "a&b",
            "http://x/",
            "a/b",
            "1.2.3.4 -f",
        ] {
            assert!(!is_target(host), "{host}");
        }
    }
}
