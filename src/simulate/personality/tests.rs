//! Personalities, as they are named and as they behave.

use std::collections::BTreeSet;

use super::*;
use crate::cwmp::{self, CpeRequest, Message, ReadLimits, Side};
use crate::simulate::{Action, Blueprint, Cpe};
use crate::time::Timestamp;

#[test]
fn each_has_a_name_and_says_what_it_plays() {
    let names: BTreeSet<&str> = PERSONALITIES.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), PERSONALITIES.len());
    for one in PERSONALITIES {
        assert!(!one.plays.is_empty() && !one.about.is_empty(), "{}", one.name);
        assert!(!one.wire.is_empty() || !one.habits.is_empty(), "{}", one.name);
        assert!(std::ptr::eq(Personality::named(one.name).unwrap(), one));
    }
    assert_eq!(Personality::named("reference").unwrap().name, "reference");
    assert!(Personality::named("nobody").is_none());
}

/// However a personality writes its Inform, the server's reader takes it, and it
/// differs from the reference's.
#[test]
fn each_inform_is_odd_and_can_be_read() {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let inform = |personality| {
        let blueprint = Blueprint::device2("P1", 40).unwrap().with_personality(personality);
        match Cpe::new(blueprint, now).open_session(now) {
            Action::Post(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    };
    let plain = inform(&REFERENCE);
    for one in PERSONALITIES {
        let bytes = inform(one);
        assert_eq!(bytes != plain, !one.wire.is_empty(), "{}", one.name);
        let parsed = cwmp::read(&bytes, None, Side::Cpe, &ReadLimits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", one.name));
        let Message::CpeRequest(CpeRequest::Inform(inform)) = parsed.envelope.message else {
            panic!("{}", one.name);
        };
        assert_eq!(&*inform.device.serial_number, "P1", "{}", one.name);
        assert_eq!(&*inform.device.oui, "00D09E", "{}", one.name);
        assert!(inform.parameters.len() > 5, "{}", one.name);
        let events = if one.writes(WireHabit::NoEvents) { 0 } else { 2 };
        let told: BTreeSet<String> =
            inform.events.iter().map(|event| event.code.to_string()).collect();
        assert_eq!(told.len(), events, "{}", one.name);
    }
}
