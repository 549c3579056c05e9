//! The bodies of the fuzz targets over spoilt fixtures, for machines on which no
//! fuzzer runs.
//!
//! `PROVOST_MUTATE_SECONDS` says how long each target is run; one second if it is
//! unset. `cargo test --test mutate -- envelope` runs those with the word in their
//! name. An input on which a body panics is printed in hex; put it into
//! `PROVOST_MUTATE_INPUT` to run it alone:
//! `PROVOST_MUTATE_INPUT=3c61 cargo test --test mutate -- envelope`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that tests, and prints what it ran"
)]

mod bodies;
mod generator;
mod targets;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use generator::Generator;
use targets::{TARGETS, Target};

/// How many targets run at a time.
const AT_A_TIME: usize = 2;

/// What the generator begins with; changed, all inputs are others.
const SEED: u64 = 0x0005_eed0_f7b0_c057;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |target: &&Target| {
        words.is_empty() || words.iter().any(|word| target.name.contains(word.as_str()))
    };
    let chosen: Vec<&Target> = TARGETS.iter().filter(wanted).collect();
    if let Ok(input) = std::env::var("PROVOST_MUTATE_INPUT") {
        let input = hex::decode(input.trim()).unwrap();
        for target in chosen {
            println!("mutate: {}: {} bytes", target.name, input.len());
            (target.body)(&input);
        }
        return ExitCode::SUCCESS;
    }
    let seconds = std::env::var("PROVOST_MUTATE_SECONDS").map_or(1, |text| text.parse().unwrap());
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(target) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let share = if target.whole { seconds } else { (seconds / 12).max(1) };
                    match run(target, Duration::from_secs(share)) {
                        Ok(runs) => println!("mutate: {}: {runs} runs in {share} s", target.name),
                        Err(input) => failures.lock().unwrap().push((target.name, input)),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    for (name, input) in &failures {
        println!(
            "mutate: {name} failed; run it again with\nPROVOST_MUTATE_INPUT={} cargo test --test mutate -- {name}",
            hex::encode(input)
        );
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a target for a while; how many inputs that were, or the one on which it
/// panicked.
fn run(target: &Target, time: Duration) -> Result<u64, Vec<u8>> {
    let name = target.name.bytes().fold(SEED, |seed, byte| seed.rotate_left(8) ^ u64::from(byte));
    let fixtures = (target.fixtures)();
    for fixture in &fixtures {
        try_one(target, fixture)?;
    }
    let mut runs = u64::try_from(fixtures.len()).unwrap();
    let mut generator = Generator::new(name, fixtures, target.tokens);
    let began = Instant::now();
    while began.elapsed() < time {
        for _ in 0..16 {
            let input = generator.next_input();
            try_one(target, &input)?;
            runs += 1;
        }
    }
    Ok(runs)
}

fn try_one(target: &Target, input: &[u8]) -> Result<(), Vec<u8>> {
    catch_unwind(|| (target.body)(input)).map_err(|_| input.to_vec())
}
