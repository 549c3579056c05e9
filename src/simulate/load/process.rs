//! What a process has cost, read from `/proc` (Linux).

use std::time::Duration;

use crate::class::Class;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that user space
/// sees (`USER_HZ`).
const TICKS: u64 = 100;

/// Why a process cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such process, or no `/proc`.
    #[error("process {pid} cannot be measured: {source}")]
    Unreadable {
        /// The process.
        pid: u32,
        /// Why.
        source: std::io::Error,
    },
    /// `/proc` says something else than expected.
    #[error("process {0} cannot be measured: /proc has another form than expected")]
    Unknown(u32),
}

impl ProcessError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Unreadable { .. } => Class::NotFound,
            Self::Unknown(_) => Class::Internal,
        }
    }
}

/// What a process has used up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// CPU time of all threads, user and system; 10 ms exact.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub resident: u64,
    /// The most that it ever was, in bytes.
    pub peak: u64,
}

impl Usage {
    /// What a process has used.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn of(pid: u32) -> Result<Self, ProcessError> {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{pid}/{file}"))
                .map_err(|source| ProcessError::Unreadable { pid, source })
        };
        Self::parse(&read("stat")?, &read("status")?).ok_or(ProcessError::Unknown(pid))
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The second field is the name in brackets and may hold anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let cpu = Duration::from_millis(user.checked_add(system)?.checked_mul(1000 / TICKS)?);
        let kilobytes = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        Some(Self { cpu, resident: kilobytes("VmRSS:")?, peak: kilobytes("VmHWM:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let stat = "42 (odd) name) S 1 42 42 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 9 0 100 1 2";
        let status = "Name:\todd\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n";
        let usage = Usage { cpu: Duration::from_millis(1750), resident: 1 << 20, peak: 2 << 20 };
        assert_eq!(Usage::parse(stat, status), Some(usage));
        assert_eq!(Usage::parse("42 name", status), None);
        assert_eq!(Usage::parse(stat, ""), None);
    }
}
