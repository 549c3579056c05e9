//! `Inform` (TR-069 §A.3.3.1).

use super::parameters::ParameterValue;
use super::read::{Oddity, Problem, ReadError, Scanner};
use super::write::Writer;
use crate::device::{DeviceIdentity, EventCode};

/// A device opens a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Inform {
    /// Who it is.
    pub device: DeviceIdentity,
    /// Why it calls, without repetitions of single events (Q15); may be empty.
    pub events: Vec<InformEvent>,
    /// The device's clock as it wrote it; never trusted for order (Q13).
    pub current_time: Box<str>,
    /// Failed attempts since the last successful session.
    pub retry_count: u32,
    /// The parameters that ride along.
    pub parameters: Vec<ParameterValue>,
}

/// One event with its CommandKey, which is empty unless the code is `M …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InformEvent {
    /// The code.
    pub code: EventCode,
    /// The CommandKey of the RPC that caused it.
    pub command_key: Box<str>,
}

impl Inform {
    /// Whether an event of this code is among the reasons.
    pub fn has(&self, code: &EventCode) -> bool {
        self.events.iter().any(|event| event.code == *code)
    }
}

impl Inform {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut device = None;
        let mut events = Vec::new();
        let mut current_time = Box::default();
        let mut retry_count = 0;
        let mut parameters = Vec::new();
        xml.members(|xml, tag| {
            match tag.local() {
                "DeviceId" => device = Some(read_identity(xml)?),
                "Event" => read_events(xml, &mut events)?,
                "CurrentTime" => current_time = xml.text()?,
                "RetryCount" => retry_count = xml.number()?,
                "ParameterList" => parameters = xml.list(|xml, _| ParameterValue::read(xml))?,
                // MaxEnvelopes means nothing any more.
                _ => {}
            }
            Ok(())
        })?;
        let device = device.ok_or_else(|| xml.error(Problem::Missing("DeviceId")))?;
        if events.is_empty() {
            xml.odd(Oddity::NoEvents);
        }
        Ok(Self { device, events, current_time, retry_count, parameters })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.element("DeviceId", |xml| {
            xml.text("Manufacturer", &self.device.manufacturer);
            xml.text("OUI", &self.device.oui);
            xml.text("ProductClass", &self.device.product_class);
            xml.text("SerialNumber", &self.device.serial_number);
        });
        xml.array("Event", "cwmp:EventStruct", &self.events, |xml, event| {
            xml.element("EventStruct", |xml| {
                xml.text("EventCode", &event.code.to_string());
                xml.text("CommandKey", &event.command_key);
            });
        });
        xml.number("MaxEnvelopes", 1);
        xml.text("CurrentTime", &self.current_time);
        xml.number("RetryCount", self.retry_count);
        ParameterValue::write_list(xml, &self.parameters);
    }
}

fn read_identity(xml: &mut Scanner<'_>) -> Result<DeviceIdentity, ReadError> {
    let [mut manufacturer, mut oui, mut class, mut serial] = <[Box<str>; 4]>::default();
    xml.members(|xml, tag| {
        match tag.local() {
            "Manufacturer" => manufacturer = xml.text()?,
            "OUI" => oui = xml.text()?,
            "ProductClass" => class = xml.text()?,
            "SerialNumber" => serial = xml.text()?,
            _ => {}
        }
        Ok(())
    })?;
    let hex = |b: u8| b.is_ascii_digit() || matches!(b, b'A'..=b'F');
    if oui.len() != 6 || !oui.bytes().all(hex) {
        xml.odd(Oddity::OddOui);
    }
    DeviceIdentity::new(&manufacturer, &oui, &class, &serial)
        .map_err(|error| xml.error(Problem::Identity(error)))
}

/// Reads the events; one that came already with the same CommandKey came by
/// mistake (Q15).
fn read_events(xml: &mut Scanner<'_>, events: &mut Vec<InformEvent>) -> Result<(), ReadError> {
    xml.members(|xml, _| {
        let (mut code, mut command_key) = (None, Box::default());
        xml.members(|xml, tag| {
            match tag.local() {
                "EventCode" => code = Some(EventCode::parse(&xml.text()?)),
                "CommandKey" => command_key = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        let Some(code) = code else { return Ok(()) };
        let event = InformEvent { code, command_key };
        if events.contains(&event) {
            xml.odd(Oddity::RepeatedEvent);
        } else if events.len() >= xml.limits().events {
            xml.odd(Oddity::CutList);
        } else {
            events.push(event);
        }
        Ok(())
    })
}
