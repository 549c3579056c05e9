//! Tests of campaigns as a state machine: thousands of devices that exist as
//! numbers only, on a clock that jumps.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::device::{DeviceId, FaultRecord, Outcome};
use crate::time::Timestamp;

const BEGIN: Timestamp = Timestamp::from_millis(1_795_205_100_000);

fn spec(json: serde_json::Value) -> CampaignSpec {
    let mut whole = serde_json::json!({"name": "c", "target": {"match": "true"}});
    for (key, value) in json.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let pace = PaceSpec { per_minute: 60, concurrency: 50 };
    CampaignSpec::parse(&whole.to_string(), pace).unwrap()
}

fn refused(json: serde_json::Value) -> String {
    let pace = PaceSpec { per_minute: 60, concurrency: 50 };
    CampaignSpec::parse(&json.to_string(), pace).unwrap_err().to_string()
}

#[test]
fn waves_are_the_fleet_and_none_is_empty() {
    let waves = |sizes: serde_json::Value, canary: u32, fleet: u32| {
        let waves = serde_json::json!({"canary": canary, "sizes": sizes});
        wave_sizes(&spec(serde_json::json!({"action": {"reboot": {}}, "waves": waves})), fleet)
    };
    assert_eq!(waves(serde_json::json!([]), 0, 7), [7]);
    assert_eq!(waves(serde_json::json!(["10%", "50%"]), 5, 1000), [5, 95, 400, 500]);
    assert_eq!(waves(serde_json::json!([100, "50%"]), 5, 1000), [5, 100, 395, 500]);
    assert_eq!(waves(serde_json::json!([100]), 5, 50), [5, 45]);
    assert_eq!(waves(serde_json::json!(["1%", "100%"]), 5, 100), [5, 95], "1 % is in the canary");
    assert_eq!(waves(serde_json::json!([1]), 1, 0), [0; 0]);
}

#[test]
fn shares_and_spans_read_as_they_are_written() {
    for text in ["5%", "2.5%", "0.01%", "100%", "33.33%"] {
        assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
    }
    for bad in ["", "5", "0%", "101%", "1.234%", "-1%", "1e1%", ".5%"] {
        assert!(bad.parse::<Share>().is_err(), "{bad}");
    }
    for text in ["90s", "15m", "2h", "7d", "0s"] {
        assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
    }
    for bad in ["", "5", "m", "1w", "367d", "99999999999999999999s"] {
        assert!(bad.parse::<Span>().is_err(), "{bad}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    use serde_json::json;
    let base = json!({"name": "c", "target": {"match": "true"}, "action": {"reboot": {}}});
    let with = |key: &str, value: serde_json::Value| {
        let mut whole = base.clone();
        whole[key] = value;
        refused(whole)
    };
    for (key, value, said) in [
        ("name", json!("a/b"), "name:"),
        ("target", json!({}), "target:"),
        ("target", json!({"match": "true", "devices": ["A-1"]}), "target:"),
        ("target", json!({"match": " "}), "target.match:"),
        ("target", json!({"devices": []}), "target.devices:"),
        ("invented", json!(1), "invented"),
        ("action", json!({"reboot": {"now": true}}), "now"),
        ("action", json!({"firmware": {}}), "action.firmware:"),
        ("action", json!({"parameters": {"values": {}}}), "action.parameters.values:"),
        ("action", json!({"parameters": {"values": {"Device.X.": "1"}}}), "object"),
        ("action", json!({"parameters": {"values": {"Device.X": 1.5}}}), "whole number"),
        ("action", json!({"migrate": {"url": "ftp://x/", "quiet": "2h"}}), "migrate.url"),
        ("waves", json!({"sizes": ["50%", "20%"]}), "waves.sizes"),
        ("waves", json!({"sizes": [0]}), "waves.sizes"),
        ("pace", json!({"per_minute": 1_000_000}), "pace.per_minute"),
        ("attempts", json!({"most": 0}), "attempts.most"),
        ("abort", json!({"failures": "0%"}), "percentage"),
        ("abort", json!({"minimum": 0}), "abort.minimum"),
        ("abort", json!({"rollback": "automatic"}), "abort.rollback"),
        ("window", json!({"zone": "Nowhere/X", "from": "01:00", "to": "02:00"}), "window.zone"),
    ] {
        let error = with(key, value.clone());
        assert!(error.contains(said), "{key} = {value}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_text_reads_back() {
    use serde_json::json;
    let first = spec(json!({
        "action": {"firmware": {"version": "2.0"}},
        "waves": {"canary": 5, "sizes": [50, "25%"], "soak": "10m"},
        "window": {"zone": "Europe/Berlin", "days": ["mon", "sun"], "from": "22:00", "to": "04:00"},
        "abort": {"failures": "2.5%", "minimum": 20, "rollback": "automatic"},
    }));
    assert_eq!(CampaignSpec::parse(&first.text(), PaceSpec::default()).unwrap(), first);
    assert!(first.health.is_some(), "an upgrade is always watched");
}

#[test]
fn the_bound_is_what_a_few_campaigns_make_it() {
    use serde_json::json;
    let bound = |care: serde_json::Value, fleet| {
        let mut whole = json!({"action": {"reboot": {}}, "attempts": {"most": 1}});
        for (key, value) in care.as_object().unwrap() {
            whole[key] = value.clone();
        }
        at_most(&spec(whole), fleet)
    };
    let canary = json!({"canary": 5, "sizes": ["10%"]});
    // The canary is five; a wave of 95 halts at its tenth, with 9 more at work.
    let care = json!({"waves": canary, "pace": {"concurrency": 10}, "abort": {"failures": "5%"}});
    assert_eq!(bound(care.clone(), 5), 5);
    assert_eq!(bound(care.clone(), 100), 4 + 9 + 10 - 4, "10 % of 100 is 10: 5, 5 and 90");
    // What is asked again is judged after its last turn: all of a wave may be harmed.
    let mut again = care.clone();
    again["attempts"] = json!({"most": 2});
    assert_eq!(bound(again, 100), 90);
    // One at a time, one failure is enough: what is harmed is one device.
    let care = json!({"pace": {"concurrency": 1}, "abort": {"failures": "0.01%", "minimum": 1}});
    assert_eq!(bound(care, 5000), 1);
    // Without any care it may be all of them.
    let care = json!({"pace": {"concurrency": 10_000}, "abort": {"failures": "100%"}});
    assert_eq!(bound(care, 5000), 5000);
}

#[test]
fn tasks_of_one_ask_are_one_and_of_two_are_two() {
    let (a, b) = (DeviceId::parse("A-1").unwrap(), DeviceId::parse("A-2").unwrap());
    let later = BEGIN.after(Duration::from_secs(1));
    let id = task_id("c", BEGIN, BEGIN, &a, 1);
    assert_eq!(id, task_id("c", BEGIN, BEGIN, &a, 1));
    let others = [
        task_id("d", BEGIN, BEGIN, &a, 1),
        task_id("c", later, BEGIN, &a, 1),
        task_id("c", BEGIN, later, &a, 1),
        task_id("c", BEGIN, BEGIN, &b, 1),
        task_id("c", BEGIN, BEGIN, &a, 2),
    ];
    assert!(others.iter().all(|other| *other != id));
    assert_eq!(uuid::Uuid::from_u128(id.0).get_version_num(), 7);
    assert!(id < others[2], "keys sort by the time at which the wave began");
}

#[test]
fn a_pace_is_kept_and_a_clock_that_jumps_gives_nothing_away() {
    let mut pace = Pace::new(BEGIN);
    assert_eq!(pace.allows(60, BEGIN), 1);
    pace.take(1);
    assert_eq!(pace.allows(60, BEGIN), 0);
    assert_eq!(pace.next(60), BEGIN.after(Duration::from_secs(1)));
    assert_eq!(pace.allows(60, BEGIN.after(Duration::from_millis(999))), 0);
    assert_eq!(pace.allows(60, BEGIN.after(Duration::from_secs(1))), 1);
    assert_eq!(pace.allows(6000, BEGIN.after(Duration::from_secs(86_400))), 100);
    pace.take(100);
    assert_eq!(pace.allows(6000, BEGIN), 0, "set back by a day");
    assert_eq!(pace.allows(6000, BEGIN.after(Duration::from_secs(1))), 100);
}

#[test]
fn the_end_is_estimated_with_the_window() {
    use serde_json::json;
    let whole = json!({
        "action": {"reboot": {}}, "waves": {"canary": 60, "soak": "1h"},
        "pace": {"per_minute": 60},
        "window": {"zone": "UTC", "from": "01:00", "to": "02:00"},
    });
    let spec = spec(whole);
    let window = spec.window().unwrap();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    // A minute for the canary, an hour of rest, and 90 minutes in windows of one hour.
    let end = ends_not_before(&spec, window.as_ref(), 60 + 90 * 60, at("2026-11-20T12:00:00Z"));
    assert_eq!(end, Some(at("2026-11-23T01:30:00Z")));
    assert_eq!(ends_not_before(&spec, None, 0, BEGIN), Some(BEGIN));
}

/// What becomes of the devices of a simulated fleet.
#[derive(Clone, Copy, Debug)]
enum Injury {
    /// So many in a thousand fail, evenly.
    Even(u64),
    /// All fail that are asked after so many others.
    From(usize),
    /// All fail until so many were asked.
    Until(usize),
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }
}

/// A fleet that lives on true time, while the campaign sees a clock that jumps.
struct Fleet {
    spec: CampaignSpec,
    record: CampaignRecord,
    members: Vec<Member>,
    broken: Vec<Option<bool>>,
    waiting: Vec<VecDeque<usize>>,
    /// True time, device, what it tells.
    news: BinaryHeap<Reverse<(i64, usize, News)>>,
    random: Random,
    truth: i64,
    skew: i64,
    steps: u64,
    pace: Pace,
    asked: Vec<i64>,
    injury: Injury,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Applied,
    Failed,
    Unknown,
    Expired,
    Informs,
    Due,
}

impl Fleet {
    fn new(spec: CampaignSpec, fleet: u32, injury: Injury, jumps: bool, seed: u64) -> Self {
        let sizes = wave_sizes(&spec, fleet);
        let mut members = Vec::new();
        let mut waiting = Vec::new();
        for (wave, size) in sizes.iter().enumerate() {
            let first = members.len();
            for _ in 0..*size {
                members.push(Member {
                    campaign: "c".into(),
                    device: DeviceId::parse(&format!("A-{}", members.len())).unwrap(),
                    wave: u32::try_from(wave).unwrap(),
                    asks: 0,
                    attempts: 0,
                    tried: false,
                    before: Before::Nothing,
                    state: MemberState::Waiting,
                });
            }
            waiting.push((first..members.len()).collect());
        }
        let waves = sizes.iter().map(|&waiting| Counts { waiting, ..Counts::default() }).collect();
        let state = CampaignState::Running { wave: 0, since: BEGIN, not_before: BEGIN };
        let record = CampaignRecord {
            name: "c".into(),
            revision: 1,
            text: "".into(),
            at: BEGIN,
            by: "test".into(),
            why: "".into(),
            state,
            started_at: Some(BEGIN),
            approved: None,
            waves,
            tally: Tally::default(),
            unknown: 0,
            cannot_undo: 0,
            history: Vec::new(),
            tenant: "".into(),
        };
        Self {
            pace: Pace::new(BEGIN),
            broken: vec![None; members.len()],
            spec,
            record,
            members,
            waiting,
            news: BinaryHeap::new(),
            random: Random(seed | 1),
            truth: BEGIN.as_millis(),
            skew: 0,
            steps: u64::from(jumps),
            asked: Vec::new(),
            injury,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.truth + self.skew)
    }

    fn breaks(&mut self, device: usize) -> bool {
        if let Some(broken) = self.broken[device] {
            return broken;
        }
        let before = self.broken.iter().flatten().count();
        let broken = match self.injury {
            Injury::Even(of_thousand) => self.random.next(1000) < of_thousand,
            Injury::From(first) => before >= first,
            Injury::Until(last) => before < last,
        };
        self.broken[device] = Some(broken);
        broken
    }

    fn ask(&mut self, wave: u32, most: u32) {
        for _ in 0..most {
            let device = self.waiting[usize::try_from(wave).unwrap()].pop_front().unwrap();
            let now = self.now();
            let id = task_id("c", BEGIN, BEGIN, &self.members[device].device, 1);
            // Some never come; of those nothing is broken, because nothing was sent.
            let (after, news) = if self.random.next(50) == 0 {
                (self.spec.attempts.patience.duration().as_secs(), News::Expired)
            } else if self.breaks(device) {
                // Failures may be told late: hours after the others are done.
                let after = if self.random.next(3) == 0 { 40_000 } else { 600 };
                let how = [News::Failed, News::Unknown, News::Applied];
                let how = how[usize::try_from(self.random.next(3)).unwrap()];
                (1 + self.random.next(after), how)
            } else {
                (1 + self.random.next(300), News::Applied)
            };
            self.tell(device, after, news);
            self.set(device, MemberState::Asked { at: now, task: id });
            self.asked.push(self.truth);
            self.pace.take(1);
        }
    }

    fn tell(&mut self, device: usize, after: u64, news: News) {
        let at = self.truth + i64::try_from(after * 1000).unwrap();
        self.news.push(Reverse((at, device, news)));
    }

    fn set(&mut self, device: usize, state: MemberState) {
        let from = self.members[device].state.place();
        self.record.moved(self.members[device].wave, from, state.place());
        if state == MemberState::Waiting {
            let wave = usize::try_from(self.members[device].wave).unwrap();
            self.waiting[wave].push_back(device);
        }
        if let Some(due) = state.due() {
            let after = due.as_millis().saturating_sub(self.now().as_millis()).max(0) / 1000 + 1;
            self.tell(device, u64::try_from(after).unwrap(), News::Due);
        }
        self.members[device].state = state;
    }

    fn hear(&mut self, device: usize, news: News) {
        let fault = FaultRecord { code: 9002, text: "no".into(), parameters: Vec::new() };
        let outcome = match news {
            News::Applied => Some(Outcome::Applied),
            News::Failed => Some(Outcome::Failed(fault)),
            News::Unknown => Some(Outcome::Unknown("gone".into())),
            News::Expired => Some(Outcome::Expired),
            News::Informs | News::Due => None,
        };
        let seen = Seen {
            outcome: outcome.as_ref(),
            task_is_there: true,
            once_only: true,
            sessions: Some(u64::from(news == News::Informs)),
            // What a sound device tells when it informs again; one that broke does not.
            software_version: "2",
        };
        let now = self.now();
        let after = settle(&self.spec, None, &self.members[device], &seen, now);
        let Some(after) = after else {
            // A clock that was set back makes it due later.
            if news == News::Due && self.members[device].state.place() == Place::AtWork {
                self.tell(device, 60, News::Due);
            }
            return;
        };
        self.members[device].attempts = after.attempts;
        self.members[device].tried = after.tried;
        let is_watched = matches!(after.state, MemberState::Checking { .. });
        self.set(device, after.state);
        if is_watched && self.broken[device] != Some(true) {
            let later = 1 + self.random.next(60);
            self.tell(device, later, News::Informs);
        }
    }

    fn jump(&mut self) {
        if self.steps > 0 && self.random.next(20) == 0 {
            self.steps += 1;
            let by = i64::try_from(self.random.next(7_200_000)).unwrap() - 3_600_000;
            self.skew += by;
        }
    }

    /// Until the campaign halts, ends, or stands for good.
    fn run(&mut self) {
        for _ in 0..2_000_000_u32 {
            let now = self.now();
            let step = advance(&self.spec, None, &self.record, &mut self.pace, now);
            match step {
                Step::Ask { wave, most, .. } => self.ask(wave, most),
                Step::Become(state, _) => {
                    self.record.tally = Tally::default();
                    let goes_on = matches!(state, CampaignState::Running { .. });
                    self.record.state = state;
                    if !goes_on {
                        return;
                    }
                }
                Step::Undo { .. } => unreachable!("nothing rolls back here"),
                Step::Idle(until) => {
                    let until = until.map(|until| until.as_millis() - self.skew);
                    let news = self.news.peek().map(|Reverse((at, ..))| *at);
                    let Some(next) = until.into_iter().chain(news).min() else { return };
                    self.truth = self.truth.max(next);
                    self.jump();
                    while let Some(Reverse((at, device, news))) = self.news.peek().copied() {
                        if at > self.truth {
                            break;
                        }
                        self.news.pop();
                        self.hear(device, news);
                    }
                }
            }
            let at_work = self.record.count(Place::AtWork);
            assert!(at_work <= u64::from(self.spec.pace.concurrency));
            assert_eq!(self.record.devices(), self.members.len() as u64);
        }
        panic!("it does not end");
    }

    fn harmed(&self) -> u64 {
        self.broken.iter().filter(|broken| **broken == Some(true)).count() as u64
    }

    fn keeps_its_pace(&self) {
        let rate = u64::from(self.spec.pace.per_minute);
        let spare = (rate / 60).max(1) * self.steps.max(1);
        let mut first = 0;
        for (n, at) in self.asked.iter().enumerate() {
            while at - self.asked[first] >= 60_000 {
                first += 1;
            }
            let in_a_minute = (n - first + 1) as u64;
            assert!(in_a_minute <= rate + spare + 1, "{in_a_minute} in a minute of {rate}");
        }
    }
}

fn any_spec() -> impl Strategy<Value = CampaignSpec> {
    let waves = (0_u32..20, proptest::collection::btree_set(1_u16..100, 0..4), 0_u32..600);
    let abort = (1_u16..=100, 1_u32..50);
    let pace = (60_u32..6000, 1_u32..200);
    (waves, abort, pace, 1_u32..4).prop_map(|(waves, abort, pace, most)| {
        let (canary, shares, soak): (u32, BTreeSet<u16>, u32) = waves;
        let sizes: Vec<_> = shares.iter().map(|share| format!("{share}%")).collect();
        spec(serde_json::json!({
            "action": {"firmware": {"version": "2"}},
            "waves": {"canary": canary, "sizes": sizes, "soak": format!("{soak}s")},
            "abort": {"failures": format!("{}%", abort.0), "minimum": abort.1},
            "pace": {"per_minute": pace.0, "concurrency": pace.1},
            "attempts": {"most": most, "patience": "1h", "pause": "5m"},
            "deadline": "365d",
        }))
    })
}

/// A campaign over a simulated fleet; how many devices it broke, how it ended.
fn simulate(
    spec: &CampaignSpec,
    fleet: u32,
    injury: Injury,
    jumps: bool,
    seed: u64,
) -> (u64, CampaignState) {
    let mut run = Fleet::new(spec.clone(), fleet, injury, jumps, seed);
    run.run();
    run.keeps_its_pace();
    let most = at_most(spec, fleet);
    assert!(run.harmed() <= most, "{} devices harmed, and {most} was said", run.harmed());
    (run.harmed(), run.record.state)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_campaign_harms_more_devices_than_it_says(
        spec in any_spec(), fleet in 1_u32..2500, jumps: bool, seed: u64,
        injury in prop_oneof![
            Just(Injury::Even(10)), Just(Injury::Even(30)), Just(Injury::Even(100)),
            Just(Injury::Even(1000)),
            (0_usize..2000).prop_map(Injury::From), (0_usize..500).prop_map(Injury::Until),
        ],
    ) {
        let (_, state) = simulate(&spec, fleet, injury, jumps, seed);
        let ended = matches!(state, CampaignState::Halted { .. } | CampaignState::Finished { .. });
        prop_assert!(ended, "{state:?}");
    }

    #[test]
    fn a_window_is_open_or_opens_later(millis in 0_i64..4_000_000_000_000, from in 0_u32..24, to in 0_u32..24) {
        prop_assume!(from != to);
        let spec = WindowSpec {
            zone: "America/New_York".to_owned(), days: Vec::new(),
            from: format!("{from:02}:00"), to: format!("{to:02}:00"),
        };
        let window = Window::new(&spec).unwrap();
        let now = Timestamp::from_millis(millis);
        match window.at(now) {
            WindowNow::Open(until) => {
                prop_assert!(until > now);
                prop_assert!(!matches!(window.at(until), WindowNow::Open(later) if later == until));
            }
            WindowNow::Closed(Some(opens)) => {
                prop_assert!(opens > now);
                prop_assert!(matches!(window.at(opens), WindowNow::Open(_)));
            }
            WindowNow::Closed(None) => prop_assert!(false, "it never opens"),
        }
    }
}

#[test]
fn a_good_fleet_is_done_and_a_bad_firmware_halts_at_the_canary() {
    let careful = spec(serde_json::json!({
        "action": {"firmware": {"version": "2"}},
        "waves": {"canary": 10, "sizes": ["10%", "50%"]},
        "abort": {"failures": "5%", "minimum": 20},
        "pace": {"per_minute": 600, "concurrency": 20},
        "attempts": {"most": 1, "patience": "1h"},
    }));
    let (harmed, state) = simulate(&careful, 5000, Injury::Even(0), false, 7);
    assert!(harmed == 0 && matches!(state, CampaignState::Finished { .. }), "{state:?}");
    let (harmed, state) = simulate(&careful, 5000, Injury::Even(1000), true, 7);
    assert!(harmed <= 10 && matches!(state, CampaignState::Halted { wave: 0, .. }), "{state:?}");
    let (_, state) = simulate(&careful, 5000, Injury::Even(100), false, 7);
    assert!(matches!(state, CampaignState::Halted { .. }), "10 % is more than 5 %: {state:?}");
    // One of a hundred is borne by who looks at a hundred first, unless it is one of
    // the ten of the canary.
    let mut patient = careful.clone();
    patient.abort.minimum = 100;
    let finished = (0..20).filter(|seed| {
        let (_, state) = simulate(&patient, 5000, Injury::Even(10), false, *seed);
        let canary = matches!(state, CampaignState::Halted { wave: 0, .. });
        assert!(canary || matches!(state, CampaignState::Finished { .. }), "{seed}: {state:?}");
        !canary
    });
    let finished = finished.count();
    assert!(finished >= 12, "{finished} of 20");
}
