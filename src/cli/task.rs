//! `provost task`: what is asked of devices; and the waiting that other
//! commands share.

use std::time::Duration;

use axum::http::Method;
use clap::Subcommand;
use serde_json::Value;
use tokio::time::Instant;

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, wheel};

/// How long one request lets the server wait.
pub(super) const ONE_WAIT: Duration = Duration::from_secs(20);

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("DEVICE", "device"),
    ("ACTION", "action"),
    ("STATE", "state"),
    ("CREATED", "created_at"),
    ("ENDED", "ended_at"),
];

/// Tasks: what is asked of devices
#[derive(Debug, Subcommand)]
pub(super) enum TaskCommand {
    /// List tasks in the order of their making
    List {
        /// Only this device's
        #[arg(long, value_name = "ID")]
        device: Option<String>,
        /// Only those in this state: open, queued, sent, applied, accepted, failed, unknown, expired, cancelled
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a task
    Show {
        /// The task's id
        id: String,
    },
    /// Withdraw a task that was not sent yet
    Cancel {
        /// The task's id
        id: String,
    },
    /// Wait until a task is over
    Wait {
        /// The task's id
        id: String,
        /// Seconds to wait
        #[arg(long, default_value_t = 300, value_name = "SECONDS")]
        wait: u64,
    },
}

pub(super) async fn run(
    command: TaskCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        TaskCommand::List { device, state, listing } => {
            let filters = [("device", device), ("state", state)];
            let tasks = pages(client, "/tasks", &filters, listing).await?;
            Ok(output.list(&tasks, COLUMNS)?)
        }
        TaskCommand::Show { id } => {
            let task = client.get(&format!("/tasks/{}", encode(&id))).await?;
            Ok(output.record(&task)?)
        }
        TaskCommand::Cancel { id } => {
            let path = format!("/tasks/{}/cancel", encode(&id));
            let task = client.send(Method::POST, &path, &Value::Null).await?;
            Ok(output.said(&task, &format!("task {} is cancelled", clean(&id)))?)
        }
        TaskCommand::Wait { id, wait } => {
            let deadline = Instant::now() + Duration::from_secs(wait);
            let task = client.get(&format!("/tasks/{}", encode(&id))).await?;
            let task = until_over(client, task, deadline).await?;
            report(&task, output)
        }
    }
}

/// Whether a command waits for the outcome of what it asks.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Waiting {
    /// Do not wait for the outcome
    #[arg(long)]
    no_wait: bool,
    /// Seconds to wait for the outcome
    #[arg(long, default_value_t = 60, value_name = "SECONDS", conflicts_with = "no_wait")]
    wait: u64,
}

impl Waiting {
    /// How long to wait.
    pub(super) const fn patience(self) -> Duration {
        if self.no_wait { Duration::ZERO } else { Duration::from_secs(self.wait) }
    }

    /// Whether the outcome is of no interest.
    pub(super) const fn no_wait(self) -> bool {
        self.no_wait
    }
}

/// Asks something of a device and, unless told otherwise, waits for what
/// becomes of it. Returns the task; it may still be open.
pub(super) async fn ask(
    client: &Client,
    device: &str,
    body: &Value,
    waiting: Waiting,
) -> Result<Value, CliError> {
    ask_at(client, device, "tasks", body, waiting).await
}

/// The same for another resource below the device that makes a task.
pub(super) async fn ask_at(
    client: &Client,
    device: &str,
    resource: &str,
    body: &Value,
    waiting: Waiting,
) -> Result<Value, CliError> {
    let path = format!("/devices/{}/{resource}", encode(device));
    if waiting.no_wait {
        return client.send(Method::POST, &path, body).await;
    }
    let wait = Duration::from_secs(waiting.wait);
    let deadline = Instant::now() + wait;
    let wheel = wheel(format!("waiting for {}", clean(device)));
    let first = wait.min(ONE_WAIT);
    let path = format!("{path}?wait={}", first.as_secs());
    let task = client.waiting(Method::POST, &path, Some(body), first).await?;
    let task = until_over(client, task, deadline).await;
    wheel.finish_and_clear();
    task
}

pub(super) async fn until_over(
    client: &Client,
    mut task: Value,
    deadline: Instant,
) -> Result<Value, CliError> {
    let id = task["id"].as_str().unwrap_or_default().to_owned();
    let wake = task["wake"].clone();
    while !is_over(&task) {
        let left = deadline.saturating_duration_since(Instant::now()).min(ONE_WAIT);
        if left.as_secs() == 0 {
            break;
        }
        let path = format!("/tasks/{}?wait={}", encode(&id), left.as_secs());
        task = client.waiting(Method::GET, &path, None, left).await?;
    }
    if !wake.is_null() {
        task["wake"] = wake;
    }
    Ok(task)
}

fn is_over(task: &Value) -> bool {
    task["ended"].as_bool().unwrap_or(false)
}

/// Prints a task that was made and not waited for.
pub(super) fn queued(task: &Value, output: &mut Output<'_>) -> Result<(), CliError> {
    let sentence = format!("task {} is queued", clean(task["id"].as_str().unwrap_or_default()));
    Ok(output.said(task, &sentence)?)
}

/// Prints what became of a task, and fails if it was not done.
pub(super) fn report(task: &Value, output: &mut Output<'_>) -> Result<(), CliError> {
    output.print(task, |out, task| {
        let word = |key: &str| clean(task[key].as_str().unwrap_or_default());
        writeln!(out, "{} {} (task {})", word("action"), word("state"), word("id"))?;
        for note in task["notes"].as_array().into_iter().flatten() {
            writeln!(out, "  {}", clean(note.as_str().unwrap_or_default()))?;
        }
        for result in task["results"].as_array().into_iter().flatten() {
            let text = |key: &str| clean(result[key].as_str().unwrap_or_default());
            writeln!(out, "  {} = {}", text("name"), text("value"))?;
        }
        // What is done is done, however the device came by.
        if is_over(task) && verdict(task).is_ok() {
            return Ok(());
        }
        match task["wake"]["result"].as_str() {
            Some("woken") | None => Ok(()),
            Some("sent") => writeln!(out, "  sent by UDP; the device has not answered yet"),
            Some(result) => {
                let detail = task["wake"]["detail"].as_str().unwrap_or(result);
                writeln!(out, "  the device was not woken: {}", clean(detail))
            }
        }
    })?;
    verdict(task)
}

/// Nothing if the task was done; otherwise why not, with its exit code.
pub(super) fn verdict(task: &Value) -> Result<(), CliError> {
    let id = clean(task["id"].as_str().unwrap_or_default());
    let state = clean(task["state"].as_str().unwrap_or_default());
    match state.as_str() {
        "applied" | "accepted" => Ok(()),
        "queued" | "sent" => Err(CliError::TaskOpen { id, state }),
        _ => Err(CliError::TaskFailed { id, outcome: outcome(&state, task) }),
    }
}

fn outcome(state: &str, task: &Value) -> String {
    let mut words = vec![state.to_owned()];
    if let Some(reason) = task["reason"].as_str() {
        words.push(clean(reason));
    }
    let fault = |fault: &Value| {
        let text = clean(fault["text"].as_str().unwrap_or_default());
        format!("{} {text}", fault["code"]).trim_end().to_owned()
    };
    if task["fault"].is_object() {
        words.push(fault(&task["fault"]));
        for parameter in task["fault"]["parameters"].as_array().into_iter().flatten() {
            let name = clean(parameter["name"].as_str().unwrap_or_default());
            words.push(format!("{name}: {}", fault(parameter)));
        }
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_outcome_has_its_exit_code() {
        let code = |state: &str| {
            verdict(&json!({"id": "1", "state": state}))
                .err()
                .map_or(0, |error| error.class().exit_code())
        };
        for (state, expected) in [
            ("applied", 0),
            ("accepted", 0),
            ("failed", 6),
            ("unknown", 6),
            ("expired", 6),
            ("cancelled", 6),
            ("queued", 7),
            ("sent", 7),
        ] {
            assert_eq!(code(state), expected, "{state}");
        }
    }

    #[test]
    fn a_fault_is_told_with_its_parameters() {
        let task = json!({"id": "1", "state": "failed", "fault": {"code": 9003, "text": "Invalid arguments",
            "parameters": [{"name": "Device.X", "code": 9007, "text": "bad\u{1b}"}]}});
        let error = verdict(&task).unwrap_err().to_string();
        assert_eq!(error, "task 1: failed; 9003 Invalid arguments; Device.X: 9007 bad");
    }
}
