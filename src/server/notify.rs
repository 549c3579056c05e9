//! What systemd is told (`sd_notify(3)`): one datagram for each word, to the socket
//! that the service manager names in `NOTIFY_SOCKET`. Without one nobody is told.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long the service manager may take for a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells the service manager how the server is.
#[derive(Debug)]
pub struct ServiceManager {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that started this process, if any did.
    pub fn of_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET");
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        // Of another process, if it names one that is not this.
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| ours).map(Duration::from_micros);
        Self::at(socket.as_deref(), watchdog)
    }

    fn at(socket: Option<&OsStr>, watchdog: Option<Duration>) -> Self {
        let address = socket.and_then(|socket| match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
            [b'/', ..] => SocketAddr::from_pathname(socket).ok(),
            _ => None,
        });
        let to = address.and_then(|address| {
            let socket = UnixDatagram::unbound().ok()?;
            // A service manager that does not listen holds nothing up.
            socket.set_write_timeout(Some(PATIENCE)).ok()?;
            Some((socket, address))
        });
        Self { to, watchdog }
    }

    /// The doors are open; after a reload also: it is over.
    pub fn ready(&self) {
        self.tell("READY=1\nSTATUS=the doors are open");
    }

    /// The settings are read again.
    pub fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The server stops.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=sessions end, the store is closed");
    }

    /// The server is alive; to be told once in [`Self::every`].
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// How often to tell that the server is alive: twice in the time after which it
    /// would be killed. `None` if nobody waits for it.
    pub fn every(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.to.is_some()).map(|watchdog| watchdog / 2)
    }

    fn tell(&self, words: &str) {
        let Some((socket, address)) = &self.to else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            tracing::warn!(%error, "the service manager was not told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_arrive_by_path_and_by_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("provost-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        let at = format!("@{name}");
        for (socket, to) in [(by_path, path.as_os_str()), (by_name, OsStr::new(&at))] {
            let manager = ServiceManager::at(Some(to), Some(Duration::from_secs(30)));
            assert_eq!(manager.every(), Some(Duration::from_secs(15)));
            let heard = || {
                let mut buffer = [0; 256];
                let length = socket.recv(&mut buffer).unwrap();
                String::from_utf8(buffer[..length].to_vec()).unwrap()
            };
            manager.ready();
            assert!(heard().starts_with("READY=1\n"));
            manager.reloading();
            let told = heard();
            let micros = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(micros.parse::<u64>().unwrap() > 0);
            manager.alive();
            assert_eq!(heard(), "WATCHDOG=1");
            manager.stopping();
            assert!(heard().starts_with("STOPPING=1\n"));
        }
        // Nobody listens: nothing happens.
        let nobody = ServiceManager::at(None, Some(Duration::from_secs(1)));
        nobody.ready();
        assert_eq!(nobody.every(), None);
    }
}
