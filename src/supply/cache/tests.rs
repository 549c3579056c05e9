//! The cache forgets what changed, and nothing else.

use bytes::Bytes;
use tokio::sync::broadcast::{Sender, channel};

use super::*;
use crate::device::Secret;
use crate::provision::{Kind, PhoneLinks, Wanted};

const MAC: &str = "0c383e07e16c";
const OWN: &str = "0c383e07e16c.cfg";
const COMMON: &str = "F0V00X600000.cfg";

fn claim(own: &str) -> Claim {
    let links = PhoneLinks::new([1; 32]);
    let path = links.path(MAC.parse().unwrap(), &Secret::new(own));
    links.check(path.split('/').nth(2).unwrap()).unwrap()
}

fn origin(name: &str) -> Origin<'_> {
    Origin {
        mac: Some(MAC.parse().unwrap()),
        claim: Some(claim("own")),
        site: "hq",
        vendor: Vendor::Fanvil,
        name,
        plain: true,
        locks: None,
    }
}

fn shared() -> Shared {
    Shared {
        site: "hq".into(),
        vendor: Vendor::Fanvil,
        model: "X6".into(),
        name: COMMON.into(),
        plain: true,
        public: false,
    }
}

fn file(text: &'static str, kind: Kind) -> Arc<Served> {
    Arc::new(Served {
        bytes: Bytes::from_static(text.as_bytes()),
        media: "text/plain",
        version: "".into(),
        tag: "".into(),
        wanted: Wanted { kind, name: "".into() },
        vendor: Vendor::Fanvil,
        encrypted: false,
    })
}

/// A cache with the own file and the common file of a phone at `hq`.
fn filled() -> (Cache, Sender<Notice>) {
    let (changes, watch) = channel(8);
    let cache = Cache::new(watch);
    let epoch = cache.begin();
    assert!(cache.keep(epoch, &origin(OWN), None, &file("device", Kind::Own)));
    assert!(cache.keep(epoch, &origin(COMMON), Some(shared()), &file("common", Kind::Common)));
    (cache, changes)
}

/// Whether the own file, and the shared one, are at hand.
fn at_hand(cache: &Cache) -> (bool, bool) {
    let own = cache.claimed(&claim("own"), OWN, true).is_some();
    (own, cache.shared(&shared()).is_some())
}

#[test]
fn a_kept_file_is_found_by_its_own_claim_alone() {
    let (cache, _changes) = filled();
    assert_eq!(at_hand(&cache), (true, true));
    assert!(cache.claimed(&claim("own"), COMMON, true).is_some());
    assert!(cache.claimed(&claim("own"), OWN, false).is_none(), "TLS has a file of its own");
    assert!(cache.claimed(&claim("own"), "index.html", true).is_none());
    assert!(cache.claimed(&claim("new"), OWN, true).is_none());
    assert!(cache.find(MAC.parse().unwrap(), OWN, true).is_some());
}

#[test]
fn what_a_change_touches_is_dropped() {
    let other = || Notice::Phone("0c383e07e16d".parse().unwrap());
    for (change, left) in [
        (other(), (true, true)),
        (Notice::Site("lab".into()), (true, true)),
        // The common file stays for the others.
        (Notice::Phone(MAC.parse().unwrap()), (false, true)),
        (Notice::Site("hq".into()), (false, false)),
        (Notice::Layer(crate::phone::Scope::Global), (false, false)),
        (Notice::File("00".into()), (false, false)),
    ] {
        let (cache, changes) = filled();
        changes.send(change.clone()).unwrap();
        assert_eq!(at_hand(&cache), left, "{change:?}");
    }
    let (cache, changes) = filled();
    for _ in 0..20 {
        changes.send(other()).unwrap();
    }
    assert_eq!(at_hand(&cache), (false, false), "some changes were missed");
    assert_eq!(cache.lock().bytes, 0);
}

#[test]
fn a_file_that_was_overtaken_is_not_kept() {
    let (changes, watch) = channel(8);
    let cache = Cache::new(watch);
    let epoch = cache.begin();
    changes.send(Notice::Phone(MAC.parse().unwrap())).unwrap();
    assert!(!cache.keep(epoch, &origin(OWN), None, &file("old", Kind::Own)));
    let epoch = cache.begin();
    cache.forget();
    assert!(!cache.keep(epoch, &origin(OWN), None, &file("old", Kind::Own)));
    assert_eq!(at_hand(&cache), (false, false));
}

#[test]
fn bytes_are_counted_once_and_given_back() {
    let (cache, changes) = filled();
    assert_eq!(cache.lock().bytes, 12);
    cache.keep(cache.begin(), &origin(OWN), None, &file("new", Kind::Own));
    assert_eq!(cache.lock().bytes, 9);
    changes.send(Notice::Phone(MAC.parse().unwrap())).unwrap();
    cache.begin();
    assert_eq!(cache.lock().bytes, 6);
    changes.send(Notice::Site("hq".into())).unwrap();
    cache.begin();
    assert_eq!(cache.lock().bytes, 0);
}

#[test]
fn a_phone_keeps_so_many_spellings_and_no_more() {
    let (cache, _changes) = filled();
    for i in 0..100 {
        let name = format!("{i}.cfg");
        cache.keep(cache.begin(), &origin(&name), None, &file("x", Kind::Own));
    }
    assert_eq!(cache.lock().bytes, 12 + MAX_NAMES - 2);
}
