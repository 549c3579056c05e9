//! Transfers over a network that loses, doubles and delays, on a clock that
//! moves by hand.

use super::*;

fn terms(block: usize, window: u16, options: bool) -> Terms {
    let acknowledged = if options { vec![("blksize", block as u64)] } else { Vec::new() };
    Terms { block, window, timeout: None, acknowledged }
}

const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn blocks_follow_acknowledgements() {
    let (mut transfer, step) = Transfer::begin(&terms(512, 1, false), 1024);
    assert_eq!(step, Step::Send(1..=1));
    assert!(!transfer.is_answered());
    assert_eq!(transfer.acknowledged(1, at(1)), Step::Send(2..=2));
    assert_eq!((transfer.arrived(), transfer.offset(2)), (512, 512));
    assert_eq!(transfer.acknowledged(2, at(2)), Step::Send(3..=3), "an empty block ends it");
    assert_eq!(transfer.acknowledged(3, at(3)), Step::Done);
    assert_eq!(transfer.arrived(), 1024);
    let (mut empty, step) = Transfer::begin(&terms(512, 1, false), 0);
    assert_eq!(step, Step::Send(1..=1));
    assert_eq!(empty.acknowledged(1, at(1)), Step::Done);
}

#[test]
fn options_are_offered_before_anything_is_sent() {
    let (mut transfer, step) = Transfer::begin(&terms(1468, 4, true), 10_000);
    assert_eq!(step, Step::Offer);
    assert_eq!(transfer.acknowledged(1, at(1)), Step::Nothing, "nothing was sent yet");
    assert_eq!(transfer.wait_ended(at(1000)), Step::Offer);
    assert_eq!(transfer.acknowledged(0, at(1001)), Step::Send(1..=4));
    assert_eq!(transfer.acknowledged(0, at(1002)), Step::Nothing);
    assert_eq!(transfer.acknowledged(4, at(1003)), Step::Send(5..=7));
    assert_eq!(transfer.acknowledged(7, at(1004)), Step::Done);
}

#[test]
fn a_doubled_acknowledgement_doubles_nothing() {
    let (mut transfer, _) = Transfer::begin(&terms(512, 1, false), 5000);
    assert_eq!(transfer.acknowledged(1, at(1)), Step::Send(2..=2));
    for _ in 0..5 {
        assert_eq!(transfer.acknowledged(1, at(2)), Step::Nothing);
    }
    assert_eq!(transfer.acknowledged(9, at(3)), Step::Nothing, "never sent");
}

#[test]
fn a_gap_in_a_window_is_filled_from_where_it_begins() {
    let (mut transfer, _) = Transfer::begin(&terms(512, 8, true), 100_000);
    assert_eq!(transfer.acknowledged(0, at(1)), Step::Send(1..=8));
    assert_eq!(transfer.acknowledged(3, at(2)), Step::Send(4..=11));
    assert_eq!(transfer.acknowledged(3, at(3)), Step::Nothing);
    assert_eq!(transfer.acknowledged(11, at(4)), Step::Send(12..=19));
}

#[test]
fn numbers_wrap() {
    let (mut transfer, _) = Transfer::begin(&terms(8, 1, false), 8 * 70_000);
    for block in 1..=70_000_u64 {
        let step = transfer.acknowledged(u16::try_from(block % 65_536).unwrap(), at(block));
        assert_eq!(step, Step::Send(block + 1..=block + 1));
    }
    assert_eq!(transfer.acknowledged(u16::try_from(70_001 - 65_536).unwrap(), at(1)), Step::Done);
}

/// How often something is sent to a client that is silent from the start, or
/// from the first block on, and for how long.
fn silence(terms: &Terms, answers: bool) -> (u32, Duration) {
    let (mut transfer, step) = Transfer::begin(terms, 1 << 20);
    assert!(matches!(step, Step::Offer | Step::Send(_)));
    let (mut sendings, mut now) = (1, Duration::ZERO);
    if answers {
        let offered = step == Step::Offer;
        assert!(matches!(transfer.acknowledged(u16::from(!offered), now), Step::Send(_)));
    }
    loop {
        now = transfer.again_at();
        match transfer.wait_ended(now) {
            Step::GivenUp => return (sendings, now),
            Step::Offer => assert!(!answers),
            Step::Send(blocks) => assert!(answers || blocks == (1..=1)),
            other => panic!("{other:?}"),
        }
        sendings += 1;
    }
}

#[test]
fn a_source_that_never_answers_gets_three_datagrams_at_most() {
    assert_eq!(silence(&terms(512, 1, false), false), (3, at(7000)));
    assert_eq!(silence(&terms(1468, 64, true), false), (3, at(7000)));
    assert_eq!(silence(&terms(512, 1, false), true), (6, at(31_000)));
    let patient = Terms { timeout: Some(Duration::from_secs(255)), ..terms(512, 1, true) };
    assert_eq!(silence(&patient, false), (1, STALLED));
    assert_eq!(silence(&patient, true).1, STALLED);
}

/// What a client receives over a network whose mishaps are the bits of
/// `weather`: each datagram is lost, doubled, or neither.
fn over(weather: &[u8], size: u64, block: usize, window: u16, options: bool) -> Option<u64> {
    let mut weather = weather.iter().copied();
    // The network gets well in the end.
    let mut copies = move || match weather.next() {
        Some(0..40) => 0,
        Some(40..80) => 2,
        _ => 1,
    };
    let (mut transfer, mut step) = Transfer::begin(&terms(block, window, options), size);
    let (mut has, mut bytes, mut in_window, mut now) = (0_u64, 0, 0, Duration::ZERO);
    let mut pending = std::collections::VecDeque::new();
    let mut acknowledge = |pending: &mut std::collections::VecDeque<u16>, number: u64| {
        for _ in 0..copies() {
            pending.push_back(u16::try_from(number % 65_536).unwrap());
        }
    };
    for _ in 0..10_000 {
        match step {
            Step::Offer => acknowledge(&mut pending, 0),
            Step::Send(blocks) => {
                for number in blocks {
                    if number == has + 1 {
                        has = number;
                        bytes += (size - transfer.offset(number)).min(block as u64);
                        in_window += 1;
                        if in_window == window || has == transfer.last() {
                            in_window = 0;
                            acknowledge(&mut pending, has);
                        }
                    } else {
                        in_window = 0;
                        acknowledge(&mut pending, has);
                    }
                }
            }
            Step::Nothing => {}
            Step::Done => return (has == transfer.last()).then_some(bytes),
            Step::GivenUp => return None,
        }
        step = match pending.pop_front() {
            Some(number) => transfer.acknowledged(number, now),
            None => {
                now = transfer.again_at();
                transfer.wait_ended(now)
            }
        };
    }
    panic!("it never ends");
}

proptest::proptest! {
    #[test]
    fn a_file_arrives_whole_or_not_at_all(
        weather in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        size in 0_u64..20_000,
        block in 8_usize..1500,
        window in 1_u16..64,
        options: bool,
    ) {
        let window = if options { window } else { 1 };
        if let Some(bytes) = over(&weather, size, block, window, options) {
            proptest::prop_assert_eq!(bytes, size);
        }
        proptest::prop_assert_eq!(over(&[], size, block, window, options), Some(size));
    }

    #[test]
    fn no_acknowledgements_make_it_send_what_is_not_there(
        numbers in proptest::collection::vec(proptest::num::u16::ANY, 0..300),
        size in 0_u64..5_000,
        window in 1_u16..64,
    ) {
        let (mut transfer, _) = Transfer::begin(&terms(8, window, true), size);
        for (time, number) in numbers.into_iter().enumerate() {
            match transfer.acknowledged(number % 700, at(time as u64)) {
                Step::Send(blocks) => {
                    proptest::prop_assert!(*blocks.start() >= 1 && *blocks.end() <= transfer.last());
                    proptest::prop_assert!(blocks.count() <= usize::from(window));
                }
                Step::Done => break,
                _ => {}
            }
            proptest::prop_assert!(transfer.arrived() <= size);
        }
    }
}
