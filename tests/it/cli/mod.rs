//! Tests of `cli` from outside: the real binary, alone and against a northbound.

mod alone;
mod northbound;

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// What a run of the program left.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}{}", self.out, self.err))
    }

    /// The one line that a failed command says.
    pub(crate) fn error(&self) -> &str {
        assert_eq!(self.err.matches('\n').count(), 1, "one line: {}", self.err);
        self.err.strip_prefix("error: ").unwrap_or_else(|| panic!("{}", self.err)).trim_end()
    }
}

/// Runs the program in a folder of its own.
pub(crate) async fn provost(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PROVOST_DATA")
        .env_remove("PROVOST_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
