//! Which devices, phones or tasks are meant: filters over what is known of a
//! device, answered from indexes where one fits, by looking at each otherwise.
//!
//! Both dialects of the northbound read their queries into a [`Filter`] here and
//! know no other way to look for devices. Whose devices are seen at all is part
//! of each search: a [`crate::access::Reach`] can be forgotten by nobody.

mod field;
mod filter;
mod search;

pub use field::Field;
pub use filter::{Filter, FilterError, Test, Value};
pub use search::{Finder, Found, Order, Page, Query};
