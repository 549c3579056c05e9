//! From a condition on documents of devices to a filter of our own, so that
//! indexes serve it.

use super::super::shape::Key;
use super::condition::{Condition, Literal, Test};
use crate::find::{self, Field, Filter, Value};
use crate::param::ParamPath;
use crate::schema::Schema;

/// The filter for a condition, and whether it is exact. One that is not finds every
/// device that fits and maybe others, which are held against the condition again.
pub(in super::super) fn filter(condition: &Condition) -> (Filter, bool) {
    match condition {
        Condition::All(parts) => {
            let mut all = Vec::with_capacity(parts.len());
            let mut exact = true;
            for (filter, is_exact) in parts.iter().map(filter) {
                exact &= is_exact;
                if !matches!(filter, Filter::All) {
                    all.push(filter);
                }
            }
            let filter = match all.len() {
                0 => Filter::All,
                1 => all.remove(0),
                _ => Filter::And(all),
            };
            (filter, exact)
        }
        Condition::Any(parts) => {
            let parts: Vec<(Filter, bool)> = parts.iter().map(filter).collect();
            let exact = parts.iter().all(|(_, exact)| *exact);
            if parts.iter().any(|(filter, _)| matches!(filter, Filter::All)) {
                return (Filter::All, exact);
            }
            (any(parts.into_iter().map(|(filter, _)| filter).collect()), exact)
        }
        Condition::Not(part) => match filter(part) {
            (filter, true) => (Filter::Not(Box::new(filter)), true),
            _ => (Filter::All, false),
        },
        Condition::Is(path, test) => match place(path) {
            Some(place) => place.filter(test),
            None => (Filter::All, false),
        },
    }
}

/// The order of ours that a list is wanted in, if it is one that every device has a
/// place in.
pub(in super::super) fn order(keys: &[Key]) -> Option<find::Order> {
    let [key] = keys else { return None };
    let (Place::Text(field) | Place::Time(field, true)) = place(&key.path)? else { return None };
    Some(find::Order { field, descending: key.descending })
}

fn any(mut filters: Vec<Filter>) -> Filter {
    match filters.len() {
        1 => filters.remove(0),
        _ => Filter::Or(filters),
    }
}

/// What no device fits.
const NONE: Filter = Filter::Or(Vec::new());

/// What a path is about.
enum Place {
    /// A text that every device has.
    Text(Field),
    /// A time, and whether every device has it.
    Time(Field, bool),
    /// Tags.
    Tags,
    /// The value of a parameter.
    Parameter(Field),
}

fn place(path: &str) -> Option<Place> {
    Some(match path {
        "_id" => Place::Text(Field::Id),
        "_deviceId._Manufacturer" => Place::Text(Field::Manufacturer),
        "_deviceId._OUI" => Place::Text(Field::Oui),
        "_deviceId._ProductClass" => Place::Text(Field::ProductClass),
        "_deviceId._SerialNumber" => Place::Text(Field::SerialNumber),
        "_registered" => Place::Time(Field::FirstSeen, true),
        "_lastInform" => Place::Time(Field::LastInform, true),
        "_lastBoot" => Place::Time(Field::LastBoot, false),
        "_lastBootstrap" => Place::Time(Field::LastBootstrap, false),
        "_tags" => Place::Tags,
        _ => {
            let name = path.strip_suffix("._value")?;
            let below = name
                .strip_prefix("Device.DeviceInfo.")
                .or_else(|| name.strip_prefix("InternetGatewayDevice.DeviceInfo."));
            return Some(Place::Parameter(match below {
                Some("SoftwareVersion") => Field::SoftwareVersion,
                Some("HardwareVersion") => Field::HardwareVersion,
                Some("ProvisioningCode") => Field::ProvisioningCode,
                _ => {
                    let path = ParamPath::parse(name).ok()?;
                    // Nobody finds a secret by guessing.
                    if Schema::core().is_secret(&path) {
                        return None;
                    }
                    Field::Parameter(path)
                }
            }));
        }
    })
}

impl Place {
    fn filter(self, test: &Test) -> (Filter, bool) {
        match self {
            Self::Text(field) => of_text(field, test),
            Self::Time(field, always) => of_time(field, always, test),
            Self::Tags => of_tags(test),
            Self::Parameter(field) => (of_parameter(field, test), false),
        }
    }
}

const fn constant(holds: bool) -> (Filter, bool) {
    (if holds { Filter::All } else { NONE }, true)
}

/// One of the values that can be compared with a text.
fn texts(field: &Field, literals: &[Literal]) -> Vec<Filter> {
    let mut plain = Vec::new();
    let mut filters = Vec::new();
    for literal in literals {
        match literal {
            Literal::Text(text) => plain.push(Value::Text(text.clone())),
            Literal::Pattern(pattern) => {
                filters.push(Filter::Is(field.clone(), find::Test::Matches(pattern.clone())));
            }
            _ => {}
        }
    }
    filters.extend(is_one_of(field, plain));
    filters
}

fn is_one_of(field: &Field, mut values: Vec<Value>) -> Option<Filter> {
    let test = match values.len() {
        0 => return None,
        1 => find::Test::Equals(values.remove(0)),
        _ => find::Test::In(values),
    };
    Some(Filter::Is(field.clone(), test))
}

fn of_text(field: Field, test: &Test) -> (Filter, bool) {
    match test {
        Test::In(literals) => (any(texts(&field, literals)), true),
        Test::Exists(wanted) => constant(*wanted),
        Test::Size(_) => constant(false),
        // Texts are in order of their bytes there, and in any case here.
        Test::Less(_) | Test::AtMost(_) | Test::Greater(_) | Test::AtLeast(_) => {
            (Filter::All, false)
        }
    }
}

fn of_time(field: Field, always: bool, test: &Test) -> (Filter, bool) {
    let is = |test| Filter::Is(field.clone(), test);
    let against = |literal: &Literal, test: fn(Value) -> find::Test| match literal {
        Literal::Time(time) => is(test(Value::Time(*time))),
        _ => NONE,
    };
    let filter = match test {
        Test::In(literals) => {
            let one = |literal: &Literal| match literal {
                Literal::Time(time) => Some(is(find::Test::Equals(Value::Time(*time)))),
                Literal::Null if !always => Some(is(find::Test::Exists(false))),
                _ => None,
            };
            any(literals.iter().filter_map(one).collect())
        }
        Test::Less(literal) => against(literal, find::Test::Less),
        Test::AtMost(literal) => against(literal, find::Test::AtMost),
        Test::Greater(literal) => against(literal, find::Test::Greater),
        Test::AtLeast(literal) => against(literal, find::Test::AtLeast),
        Test::Exists(wanted) if always => return constant(*wanted),
        Test::Exists(wanted) => is(find::Test::Exists(*wanted)),
        Test::Size(_) => NONE,
    };
    (filter, true)
}

fn of_tags(test: &Test) -> (Filter, bool) {
    let exists = |wanted| Filter::Is(Field::Tag, find::Test::Exists(wanted));
    match test {
        Test::In(literals) => {
            if literals.iter().any(|literal| matches!(literal, Literal::Whole(_))) {
                return (Filter::All, false);
            }
            let mut filters = texts(&Field::Tag, literals);
            if literals.iter().any(|literal| matches!(literal, Literal::Null)) {
                filters.push(exists(false));
            }
            (any(filters), true)
        }
        Test::Exists(wanted) => (exists(*wanted), true),
        _ => (Filter::All, false),
    }
}

/// What finds every device of which the value fits; the types are looked at later.
fn of_parameter(field: Field, test: &Test) -> Filter {
    let is = |test| Filter::Is(field.clone(), test);
    let against = |literal: &Literal, test: fn(Value) -> find::Test| match literal {
        Literal::Null | Literal::Pattern(_) | Literal::Whole(_) => NONE,
        Literal::Boolean(_) => Filter::All,
        Literal::Number(number) => is(test(Value::Number(*number))),
        Literal::Text(text) => is(test(Value::Text(text.clone()))),
        Literal::Time(time) => is(test(Value::Time(*time))),
    };
    match test {
        Test::In(literals) => {
            let mut plain = Vec::new();
            let mut filters = Vec::new();
            for literal in literals {
                match literal {
                    Literal::Null => return Filter::All,
                    Literal::Whole(_) => {}
                    Literal::Pattern(pattern) => {
                        filters.push(is(find::Test::Matches(pattern.clone())));
                    }
                    Literal::Boolean(truth) => plain.push(Value::Boolean(*truth)),
                    Literal::Number(number) => plain.push(Value::Number(*number)),
                    Literal::Text(text) => plain.push(Value::Text(text.clone())),
                    Literal::Time(time) => plain.push(Value::Time(*time)),
                }
            }
            filters.extend(is_one_of(&field, plain));
            any(filters)
        }
        Test::Less(literal) => against(literal, find::Test::Less),
        Test::AtMost(literal) => against(literal, find::Test::AtMost),
        Test::Greater(literal) => against(literal, find::Test::Greater),
        Test::AtLeast(literal) => against(literal, find::Test::AtLeast),
        Test::Exists(true) => is(find::Test::Exists(true)),
        // A parameter may be known without its value.
        Test::Exists(false) => Filter::All,
        Test::Size(_) => NONE,
    }
}
