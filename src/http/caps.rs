//! How many connections a door has, in all and of each source.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::metrics::{CONNECTIONS, CONNECTIONS_OPEN, Door, Reason};

/// The sources are spread over this many locks.
const SHARDS: usize = 16;

/// The connections of one door; other doors count what they serve in its place.
#[derive(Debug)]
pub struct Caps {
    in_all: usize,
    per_source: usize,
    open: AtomicUsize,
    none_left: Notify,
    /// As which door they are counted, if they are.
    counted: Option<Door>,
    sources: [Mutex<HashMap<IpAddr, usize>>; SHARDS],
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    caps: Arc<Caps>,
    source: IpAddr,
}

/// Which cap refused a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// That of all together.
    InAll,
    /// That of this source.
    Source,
}

impl Full {
    /// As which it is counted.
    const fn reason(self) -> Reason {
        match self {
            Self::InAll => Reason::Connections,
            Self::Source => Reason::ConnectionsOfSource,
        }
    }
}

impl Caps {
    /// So many in all, and so many of one source: an IPv4 address or an IPv6 /64.
    pub fn new(in_all: usize, per_source: usize) -> Arc<Self> {
        Self::make(None, in_all, per_source)
    }

    /// The same, of a door whose connections and refusals are counted.
    pub fn at(door: Door, in_all: usize, per_source: usize) -> Arc<Self> {
        Self::make(Some(door), in_all, per_source)
    }

    fn make(counted: Option<Door>, in_all: usize, per_source: usize) -> Arc<Self> {
        Arc::new(Self {
            counted,
            in_all,
            per_source,
            open: AtomicUsize::new(0),
            none_left: Notify::new(),
            sources: Default::default(),
        })
    }

    /// Takes a place for a connection from `address`.
    ///
    /// # Errors
    /// [`Full`] says which cap is reached.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let entered = self.take_place(address);
        if let Some(door) = self.counted {
            match &entered {
                Ok(_) => {
                    CONNECTIONS.one(door as usize);
                    CONNECTIONS_OPEN.shift_at(door as usize, 0, 1);
                }
                Err(full) => door.refused(full.reason()),
            }
        }
        entered
    }

    fn take_place(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        if self.open.load(Ordering::Relaxed) >= self.in_all {
            return Err(Full::InAll);
        }
        let source = source(address);
        {
            let mut shard = self.shard(source).lock().unwrap_or_else(PoisonError::into_inner);
            let count = shard.entry(source).or_insert(0);
            if *count >= self.per_source {
                return Err(Full::Source);
            }
            *count += 1;
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        Ok(Place { caps: Arc::clone(self), source })
    }

    /// Waits until every place was given back, but no longer than `most`.
    pub async fn emptied(&self, most: Duration) {
        let empty = async {
            while self.open.load(Ordering::Acquire) > 0 {
                self.none_left.notified().await;
            }
        };
        // Whoever is left after that is dropped with the runtime.
        let _ = tokio::time::timeout(most, empty).await;
    }

    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn shard(&self, source: IpAddr) -> &Mutex<HashMap<IpAddr, usize>> {
        let last = match source {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(address) => address.octets()[7],
        };
        &self.sources[usize::from(last) % SHARDS]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(door) = self.caps.counted {
            CONNECTIONS_OPEN.shift_at(door as usize, 0, -1);
        }
        {
            let mut shard =
                self.caps.shard(self.source).lock().unwrap_or_else(PoisonError::into_inner);
            if let Entry::Occupied(mut entry) = shard.entry(self.source) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
        if self.caps.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.caps.none_left.notify_one();
        }
    }
}

/// What counts as one source: an IPv4 address, or an IPv6 /64, which one
/// subscriber has to himself.
fn source(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_cannot_take_the_places_of_others() {
        let caps = Caps::new(4, 2);
        let first = caps.enter(address("192.0.2.1")).unwrap();
        let _second = caps.enter(address("192.0.2.1")).unwrap();
        assert_eq!(caps.enter(address("192.0.2.1")).unwrap_err(), Full::Source);
        let _other = caps.enter(address("192.0.2.2")).unwrap();
        drop(first);
        let _again = caps.enter(address("192.0.2.1")).unwrap();
        let _six = caps.enter(address("2001:db8::1")).unwrap();
        assert_eq!(caps.enter(address("192.0.2.3")).unwrap_err(), Full::InAll);
        assert_eq!(caps.open(), 4);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let caps = Caps::new(9, 1);
        let _one = caps.enter(address("2001:db8::1")).unwrap();
        assert_eq!(caps.enter(address("2001:db8::2")).unwrap_err(), Full::Source);
        assert!(caps.enter(address("2001:db8:0:1::1")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_awaited_and_bounded() {
        let caps = Caps::new(9, 9);
        let place = caps.enter(address("192.0.2.1")).unwrap();
        caps.emptied(Duration::from_secs(10)).await;
        assert_eq!(caps.open(), 1);
        let waiting = tokio::spawn({
            let caps = Arc::clone(&caps);
            async move { caps.emptied(Duration::MAX).await }
        });
        drop(place);
        waiting.await.unwrap();
        assert!(caps.sources.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
