//! Secrets from standard input: no list of processes shows them, and no screen.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest secret, in bytes.
const MAX_SECRET: u64 = 1024;

/// The first line of standard input, without its end. At a terminal it is asked for
/// by `name`, and what is typed is not shown.
///
/// # Errors
/// What standard input says.
pub(super) fn read(name: &str) -> io::Result<String> {
    let _silence = match io::stdin().is_terminal() {
        true => {
            let silence = Silence::begin();
            write!(io::stderr(), "{name}: ")?;
            Some(silence)
        }
        false => None,
    };
    let mut line = String::new();
    // What follows the line is left for the next one who reads.
    io::stdin().lock().take(MAX_SECRET).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence(Option<Termios>);

impl Silence {
    /// A terminal that cannot be silenced shows what is typed, as it always does.
    fn begin() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown, or the next output stood behind the question.
        silent.local_modes.insert(LocalModes::ECHONL);
        let done = tcsetattr(io::stdin(), OptionalActions::Flush, &silent);
        Self(done.ok().map(|()| before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone shows nothing any more.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
