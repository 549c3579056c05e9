//! What reading and writing CWMP messages costs.
//!
//! Budgets: 8 µs for an Inform of 3.4 KB, 4 ms for a
//! GetParameterValuesResponse of 5,000 parameters (850 KB).

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench ends with a panic on a mistake")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provost::cwmp::{
    AcsRequest, AcsResponse, CpeRequest, CpeResponse, Envelope, GetParameterValues, Inform,
    InformEvent, Message, Namespace, ParameterValue, ReadLimits, Side, WriteStyle, read, write,
};
use provost::device::{DeviceIdentity, EventCode};
use provost::param::{ParamPath, Value, ValueType};

fn envelope(message: Message) -> Envelope {
    Envelope {
        id: Some("1234567".into()),
        namespace: Namespace::v1_0(),
        hold_requests: false,
        session_timeout: None,
        supported_versions: None,
        use_version: None,
        message,
    }
}

/// Parameters as a gateway has them: long names, short values.
fn parameters(count: usize) -> Vec<ParameterValue> {
    let path = |n: usize| {
        format!(
            "InternetGatewayDevice.LANDevice.{}.WLANConfiguration.{}.AssociatedDevice.{n}.Rate",
            n % 7 + 1,
            n % 5 + 1
        )
    };
    let value = |n: usize| match n % 3 {
        0 => Value::new(format!("{}", n * 7919), ValueType::UnsignedInt),
        1 => Value::new("1", ValueType::Boolean),
        _ => Value::string("Café & more"),
    };
    let one = |n| ParameterValue { name: ParamPath::parse(&path(n)).unwrap(), value: value(n) };
    (0..count).map(one).collect()
}

fn inform(parameters: Vec<ParameterValue>) -> Envelope {
    envelope(Message::CpeRequest(CpeRequest::Inform(Box::new(Inform {
        device: DeviceIdentity::new("Acme Networks", "00D09E", "HG-100", "HG1000000042").unwrap(),
        events: vec![InformEvent { code: EventCode::Periodic, command_key: "".into() }],
        current_time: "2026-11-20T21:05:00+01:00".into(),
        retry_count: 0,
        parameters,
    }))))
}

/// With line ends and blanks between the elements, as most devices send it.
fn spread(message: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    text.replace("><", ">\r\n      <").into_bytes()
}

fn reading(c: &mut Criterion) {
    let limits = ReadLimits::default();
    let mut group = c.benchmark_group("read");
    let inform = spread(&write(&inform(parameters(9)), &WriteStyle::default()));
    let response = Message::CpeResponse(CpeResponse::GetParameterValues(parameters(5000)));
    let response = write(&envelope(response), &WriteStyle::default());
    let names = [
        (format!("Inform of {} bytes", inform.len()), inform),
        (format!("5,000 values in {} bytes", response.len()), response.clone()),
        ("5,000 values, spread".to_owned(), spread(&response)),
    ];
    for (name, body) in names {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| read(black_box(&body), Some("utf-8"), Side::Cpe, &limits).unwrap());
        });
    }
    group.finish();
}

fn writing(c: &mut Criterion) {
    let style = WriteStyle::default();
    let mut group = c.benchmark_group("write");
    let names = parameters(64).into_iter().map(|one| one.name).collect();
    for (name, message) in [
        ("InformResponse", Message::AcsResponse(AcsResponse::Inform)),
        (
            "GetParameterValues of 64",
            Message::AcsRequest(AcsRequest::GetParameterValues(GetParameterValues { names })),
        ),
        (
            "GetParameterValuesResponse of 5,000",
            Message::CpeResponse(CpeResponse::GetParameterValues(parameters(5000))),
        ),
    ] {
        let envelope = envelope(message);
        group.bench_function(name, |b| b.iter(|| write(black_box(&envelope), &style)));
    }
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
