//! The process itself, as the kernel sees it.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{gauge, head};

/// When the process began, in seconds since 1970, as far as this room was touched
/// at the start.
static STARTED: LazyLock<f64> = LazyLock::new(|| {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
});

/// Clock ticks of `/proc/self/stat` in a second: the same on every Linux.
const TICKS: f64 = 100.0;

/// Appends what `/proc` tells; what cannot be read is left out.
pub(super) fn write(out: &mut String) {
    head(out, "provost_build_info", "The version that runs; always 1.", "gauge");
    let _ = writeln!(out, "provost_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    let started = "When the process began, in seconds since 1970.";
    gauge(out, "process_start_time_seconds", started, *STARTED);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kilobytes) = field(&status, "VmRSS:") {
        let help = "Memory that is resident, in bytes.";
        gauge(out, "process_resident_memory_bytes", help, kilobytes * 1024.0);
    }
    if let Some(threads) = field(&status, "Threads:") {
        gauge(out, "process_threads", "Threads of the process.", threads);
    }
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the folder itself.
        let open = u32::try_from(entries.count().saturating_sub(1)).unwrap_or(u32::MAX);
        gauge(out, "process_open_fds", "Open file descriptors.", open.into());
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = field(&limits, "Max open files") {
        gauge(out, "process_max_fds", "File descriptors that may be open.", most);
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(seconds) = cpu_seconds(&stat) {
        let help = "Time on processors, in user and system mode, in seconds.";
        head(out, "process_cpu_seconds_total", help, "counter");
        let _ = writeln!(out, "process_cpu_seconds_total {seconds}");
    }
}

/// Notes when the process began; for the start of the server.
pub fn began() {
    LazyLock::force(&STARTED);
}

/// The number behind a word at the beginning of a line.
fn field(text: &str, word: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// `utime` and `stime` of `/proc/self/stat`: the fields 14 and 15; the second, the
/// program's name, may hold anything and ends with the last parenthesis.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let stat = "77 (a ) b) S 1 77 77 0 -1 4194560 2 0 0 0 150 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("77"), None);
        assert_eq!(field("VmRSS:\t    1024 kB\n", "VmRSS:"), Some(1024.0));
        let mut out = String::new();
        write(&mut out);
        for name in ["resident_memory_bytes", "threads", "open_fds", "max_fds", "cpu_seconds_total"]
        {
            assert!(out.contains(&format!("\nprocess_{name} ")), "{out}");
        }
    }
}
