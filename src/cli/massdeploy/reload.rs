//! Has Asterisk read its new configuration.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::Tell;
use super::stop::{Failure, Stop};
use super::system::System;
use crate::provision::astlinux::Mode;

/// Runs the operator's script if there is one, else `asterisk`, both without a
/// shell.
///
/// # Errors
/// [`Stop::Mass`] if one cannot be run or fails; never in [`Mode::Original`].
pub(super) fn reload(system: &System, mode: Mode, tell: &mut Tell<'_>) -> Result<(), Failure> {
    tell.out("Auto-reloading Asterisk 'dialplan' and 'sip'.\n");
    let _ = tell.out.flush();
    let script = system.reload_script()?;
    let executable = std::fs::metadata(&script)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    let mut commands = Vec::new();
    if executable {
        commands.push(Command::new(&script));
    } else {
        for words in ["dialplan reload", "sip reload"] {
            let mut asterisk = Command::new("asterisk");
            asterisk.args(["-rx", words]).stdout(Stdio::null());
            commands.push(asterisk);
        }
    }
    for mut command in commands {
        let name = command.get_program().display().to_string();
        let failed = match command.stdin(Stdio::null()).status() {
            Ok(status) if status.success() => continue,
            Ok(status) => format!("{name}: {status}"),
            Err(error) => format!("{name}: {error}"),
        };
        if mode == Mode::Right {
            return Err(Stop::Mass(format!("the reload failed: {failed}")).into());
        }
        tell.err(&failed);
    }
    Ok(())
}
