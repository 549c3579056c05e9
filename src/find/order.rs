//! In which order devices come, and where a page ends.
//!
//! Each device has a key of bytes for the field that orders; the id tells devices
//! with the same key apart. The keys of fields that are indexed are what stands in
//! the index, so that both give one order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::field::Known;
use super::{Field, FilterError};
use crate::device::DeviceId;
use crate::expr::Subject;
use crate::param::{self, ValueType};
use crate::term::{Index, fold};
use crate::time::Timestamp;

/// In which order devices come: texts in lower case, letter by letter, by their
/// first 56 bytes; what is not known before all else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub field: Field,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// The place of a device in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) key: Box<[u8]>,
    pub(super) id: DeviceId,
}

impl Order {
    /// Whether devices can be ordered so.
    pub(super) fn check(&self) -> Result<(), FilterError> {
        super::filter::check_field(&self.field)?;
        if self.field.is_single() {
            Ok(())
        } else {
            Err(FilterError(
                "a device may have several of these: order by something it has one of".to_owned(),
            ))
        }
    }

    /// The index that gives this order, if one does.
    pub(super) const fn index(&self) -> Option<Index> {
        Some(match self.field {
            Field::SerialNumber => Index::Serial,
            Field::Oui => Index::Oui,
            Field::Manufacturer => Index::Manufacturer,
            Field::ProductClass => Index::Model,
            Field::SoftwareVersion => Index::Version,
            Field::Address => Index::Address,
            _ => return None,
        })
    }

    /// The place of a device.
    pub(super) fn place(&self, subject: &Subject<'_>) -> Place {
        let mut key: Box<[u8]> = Box::default();
        self.field.look(subject, &mut |known| {
            key = key_of(&known);
            true
        });
        Place { key, id: subject.device.id.clone() }
    }
}

fn key_of(known: &Known<'_>) -> Box<[u8]> {
    match known {
        Known::Exact(text) => text.as_bytes().into(),
        Known::Number(number) => number.to_be_bytes().into(),
        Known::Time(at) => key_of_time(*at),
        Known::Value(value) => key_of_value(value),
        Known::Text(_) | Known::Mac(_) | Known::Address(_) => {
            known.text().map(|text| fold(&text)).unwrap_or_default()
        }
        Known::Unspoken => Box::default(),
    }
}

/// The key of a time.
pub(super) fn key_of_time(at: Timestamp) -> Box<[u8]> {
    // The sign is turned, so that what came before 1970 comes first.
    (at.as_millis().cast_unsigned() ^ (1 << 63)).to_be_bytes().into()
}

/// The time of a key.
pub(super) fn time_of_key(key: &[u8]) -> Option<Timestamp> {
    let bits = u64::from_be_bytes(*key.first_chunk::<8>()?) ^ (1 << 63);
    Some(Timestamp::from_millis(bits.cast_signed()))
}

/// Numbers come before texts.
fn key_of_value(value: &param::Value) -> Box<[u8]> {
    let is_number = matches!(
        value.kind,
        ValueType::Int
            | ValueType::UnsignedInt
            | ValueType::Long
            | ValueType::UnsignedLong
            | ValueType::Decimal
    );
    let number = value.text.trim().parse::<f64>().ok().filter(|_| is_number);
    match number {
        Some(number) => {
            let bits = number.to_bits();
            let sorted = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
            [&[1], sorted.to_be_bytes().as_slice()].concat().into()
        }
        None => [&[2], &*fold(&value.text)].concat().into(),
    }
}

/// Where the next page begins, as [`super::Page::next`] says it: behind a place.
/// Safe in a query as it is.
pub(super) fn cursor(place: &Place) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(&place.key), cursor_of_id(&place.id))
}

/// The same in the order of ids: behind a device.
pub(super) fn cursor_of_id(id: &DeviceId) -> String {
    URL_SAFE_NO_PAD.encode(id.as_str())
}

/// The place that a cursor stands for.
pub(super) fn read_cursor(cursor: &str) -> Result<Place, FilterError> {
    let read = || {
        let (key, id) = cursor.split_once('.')?;
        let key = URL_SAFE_NO_PAD.decode(key).ok()?.into();
        Some(Place { key, id: read_id(id).ok()? })
    };
    read().ok_or_else(unknown_cursor)
}

/// The device that a cursor stands for.
pub(super) fn read_id(cursor: &str) -> Result<DeviceId, FilterError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        DeviceId::parse(&text).ok()
    };
    read().ok_or_else(unknown_cursor)
}

pub(super) fn unknown_cursor() -> FilterError {
    FilterError("this is no end of a page; give back what `next` said, with the same order".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Value;

    #[test]
    fn times_and_numbers_are_ordered_as_they_are() {
        let times = [i64::MIN, -5, 0, 5, i64::MAX].map(Timestamp::from_millis);
        let keys = times.map(key_of_time);
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| time_of_key(&key).unwrap()), times);
        let numbers = ["-10.5", "-1", "0", "0.5", "9", "10"];
        let keys = numbers.map(|text| key_of_value(&Value::new(text, ValueType::Decimal)));
        assert!(keys.is_sorted());
        assert!(keys.last().unwrap() < &key_of_value(&Value::string("")));
    }

    #[test]
    fn a_cursor_reads_back_and_others_are_refused() {
        let place = Place { key: [0, 255].into(), id: DeviceId::parse("00D09E-A.B-1").unwrap() };
        assert_eq!(read_cursor(&cursor(&place)).unwrap(), place);
        for bad in ["", "zz.00D09E-1", "00", "00.", "0.a-b"] {
            assert!(read_cursor(bad).is_err(), "{bad}");
        }
    }
}
