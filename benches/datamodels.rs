//! What the data models cost: time to load, memory, look-ups.
//!
//! Budgets: 100 ms at the start and 4 MB resident for all of them together.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench tells what it measured, and ends with a panic when something is missing"
)]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use provost::param::ParamPath;
use provost::schema::{Asked, Known, ParameterModel, Schema, models};

/// Bytes of memory that this process has, as the system counts them.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn datamodels(criterion: &mut Criterion) {
    let before = resident();
    let start = Instant::now();
    let count: usize = models().map(ParameterModel::parameter_count).sum();
    let took = start.elapsed();
    let texts: usize = models().map(|model| model.text().len()).sum();
    let index: usize = models().map(ParameterModel::index_bytes).sum();
    println!(
        "{count} parameters in {took:?}: {texts} bytes of text, {index} of index; \
         resident grew by {} bytes",
        resident().saturating_sub(before)
    );

    let text = models().next().unwrap().text().to_owned();
    let mut group = criterion.benchmark_group("datamodels");
    group.bench_function("load Device:2.19", |bench| {
        bench.iter(|| ParameterModel::parse(black_box(text.clone()), false).unwrap());
    });
    group.bench_function("check every line of Device:2.19", |bench| {
        bench.iter(|| ParameterModel::parse(black_box(text.clone()), true).unwrap());
    });
    let path = ParamPath::parse("Device.WiFi.AccessPoint.3.Security.ModeEnabled").unwrap();
    group.bench_function("the type of a parameter", |bench| {
        bench.iter(|| Schema::core().kind(black_box(path.as_str())));
    });
    let plain = ParamPath::parse("Device.WiFi.SSID.3.SSID").unwrap();
    group.bench_function("whether a parameter is a secret", |bench| {
        bench.iter(|| Schema::core().is_secret(black_box(&plain)));
    });
    group.bench_function("check a value", |bench| {
        let known = Known::of_root("Device.");
        bench.iter(|| known.check(black_box(&plain), Asked::Value("home")));
    });
    let wrong = ParamPath::parse("Device.WiFi.SSID.3.SIDS").unwrap();
    group.bench_function("the nearest name of an unknown path", |bench| {
        let known = Known::of_root("Device.");
        bench.iter(|| known.check(black_box(&wrong), Asked::Value("home")));
    });
    group.finish();
}

criterion_group!(benches, datamodels);
criterion_main!(benches);
