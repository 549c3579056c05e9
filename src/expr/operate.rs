//! What operators and functions make of values: the meaning that CEL gives
//! them, with errors in the words of this house.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::rc::Rc;

use ipnet::IpNet;

use super::field::DeviceField;
use super::machine::{Machine, Run, Stop};
use super::node::{Function, Node, Operator, Ordered};
use super::value::Val;
use super::version::compare_versions;

/// The longest text or list that a rule may make.
const MAX_MADE: usize = 64 << 10;

/// Runs an operator or a function.
pub(super) fn run<'a>(machine: &mut Machine<'a>, node: &'a Node) -> Run<'a> {
    match node {
        Node::Order(order, pair) => {
            let (a, b) = machine.two(pair)?;
            compare(*order, &a, &b)
        }
        Node::In(pair) => {
            let (a, b) = (machine.run(&pair[0])?, machine.run(&pair[1])?);
            is_in(machine, &a, &b)
        }
        Node::Sum(operator, pair) => {
            let (a, b) = (machine.run(&pair[0])?, machine.run(&pair[1])?);
            machine.spend(a.weight() + b.weight())?;
            sum(*operator, &a, &b)
        }
        Node::Negate(one) => match machine.run(one)? {
            Val::Int(number) => number.checked_neg().map(Val::Int).ok_or_else(too_large),
            Val::Double(number) => Ok(Val::Double(-number)),
            other => Err(Stop::fails(format!("`-` stands before a number, not {}", other.kind()))),
        },
        Node::Index(pair) => {
            let (a, b) = (machine.run(&pair[0])?, machine.run(&pair[1])?);
            index(machine, &a, &b)
        }
        Node::Matches(text, regex) => {
            let text = machine.run(text)?;
            let Some(found) = text.text() else {
                return Err(Stop::fails(format!("matches() takes a text, not {}", text.kind())));
            };
            // Linear in the text, and in the pattern, which is bounded.
            machine.spend(4 * text.weight())?;
            Ok(Val::Bool(regex.is_match(found)))
        }
        Node::InNetwork(address, networks) => {
            machine.spend(networks.len() as u64)?;
            in_network(machine, address, networks)
        }
        Node::Bucket(seed, count) => {
            let device = machine.subject().device.id.as_str();
            Ok(Val::Int(i64::from(bucket(seed, device, *count))))
        }
        Node::Call(function, args) => {
            let args: Result<Vec<_>, _> = args.iter().map(|arg| machine.run(arg)).collect();
            let args = args?;
            machine.spend(args.iter().map(Val::weight).sum())?;
            call(machine, *function, &args)
        }
        // All others have been run where this was called.
        _ => Ok(Val::Null),
    }
}

fn too_large() -> Stop {
    Stop::fails("a number becomes too large")
}

fn compare<'a>(order: Ordered, a: &Val<'_>, b: &Val<'_>) -> Run<'a> {
    let Some(found) = a.order(b) else {
        let hint = match (a, b) {
            (Val::Null, _) | (_, Val::Null) => "; ask known() first, or compare with null by ==",
            _ => "",
        };
        let (sign, a, b) = (order.sign(), a.kind(), b.kind());
        return Err(Stop::fails(format!("`{sign}` cannot compare {a} with {b}{hint}")));
    };
    Ok(Val::Bool(match order {
        Ordered::Less => found == Ordering::Less,
        Ordered::LessOrEqual => found != Ordering::Greater,
        Ordered::Greater => found == Ordering::Greater,
        Ordered::GreaterOrEqual => found != Ordering::Less,
    }))
}

fn is_in<'a>(machine: &mut Machine<'a>, member: &Val<'a>, list: &Val<'a>) -> Run<'a> {
    match (list, member.text()) {
        (Val::Tags(tags), Some(tag)) => Ok(Val::Bool(tags.contains(tag))),
        (Val::Tags(_), None) => Ok(Val::Bool(false)),
        (Val::Subscriber(map), Some(name)) => Ok(Val::Bool(map.contains_key(name))),
        (Val::List(list), _) => {
            for one in list.iter() {
                machine.spend(1 + member.weight().min(one.weight()))?;
                if one.equals(member) {
                    return Ok(Val::Bool(true));
                }
            }
            Ok(Val::Bool(false))
        }
        _ => Err(Stop::fails(format!(
            "`in` looks for a value in a list, not for {} in {}",
            member.kind(),
            list.kind()
        ))),
    }
}

fn sum<'a>(operator: Operator, a: &Val<'a>, b: &Val<'a>) -> Run<'a> {
    let sign = operator.sign();
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => {
            let made = match operator {
                Operator::Add => a.checked_add(*b),
                Operator::Subtract => a.checked_sub(*b),
                Operator::Multiply => a.checked_mul(*b),
                Operator::Divide | Operator::Remainder if *b == 0 => {
                    return Err(Stop::fails(format!("`{sign}` cannot divide by zero")));
                }
                Operator::Divide => a.checked_div(*b),
                Operator::Remainder => a.checked_rem(*b),
            };
            made.map(Val::Int).ok_or_else(too_large)
        }
        (Val::Double(a), Val::Double(b)) if operator != Operator::Remainder => {
            Ok(Val::Double(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide | Operator::Remainder => a / b,
            }))
        }
        (a, b) if operator == Operator::Add => join(a, b).unwrap_or_else(|| {
            Err(Stop::fails(format!("`+` cannot join {} and {}", a.kind(), b.kind())))
        }),
        _ => Err(Stop::fails(format!(
            "`{sign}` takes two whole numbers or two decimal ones, not {} and {}",
            a.kind(),
            b.kind()
        ))),
    }
}

/// Two texts, or two lists, one after the other.
fn join<'a>(a: &Val<'a>, b: &Val<'a>) -> Option<Run<'a>> {
    let too_long = || Err(Stop::fails("a rule makes too long a text or list"));
    if let (Some(a), Some(b)) = (a.text(), b.text()) {
        if a.len() + b.len() > MAX_MADE {
            return Some(too_long());
        }
        let mut text = String::with_capacity(a.len() + b.len());
        text.push_str(a);
        text.push_str(b);
        return Some(Ok(Val::made(text)));
    }
    let is_list = |val: &Val<'_>| matches!(val, Val::List(_) | Val::Tags(_));
    if !is_list(a) || !is_list(b) {
        return None;
    }
    if a.len()? + b.len()? > MAX_MADE / 16 {
        return Some(too_long());
    }
    let all: Rc<[Val<'a>]> = a.members()?.chain(b.members()?).collect();
    Some(Ok(Val::List(all)))
}

fn index<'a>(machine: &Machine<'a>, target: &Val<'a>, index: &Val<'a>) -> Run<'a> {
    if let (Val::Subscriber(_), Some(name)) = (target, index.text()) {
        return Ok(machine.subscribed(name));
    }
    let place = match index {
        Val::Int(place) => Some(*place),
        Val::Double(place) if place.fract() == 0.0 && place.abs() < 1e9 => Some(*place as i64),
        _ => None,
    };
    let is_list = matches!(target, Val::List(_) | Val::Tags(_));
    let (Some(place), true) = (place, is_list) else {
        return Err(Stop::fails(format!(
            "`[…]` takes a number for a list, not {} for {}",
            index.kind(),
            target.kind()
        )));
    };
    let found = usize::try_from(place).ok().zip(target.members());
    let found = found.and_then(|(place, mut members)| members.nth(place));
    found.ok_or_else(|| Stop::fails(format!("the list has no member {place}")))
}

fn in_network<'a>(machine: &mut Machine<'a>, address: &'a Node, networks: &[IpNet]) -> Run<'a> {
    let address = match address {
        // The address that most rules ask about need not become a text.
        Node::Device(DeviceField::Address) => machine.subject().device.address,
        node => match machine.run(node)? {
            Val::Null => None,
            val => match val.text() {
                Some(text) => text.parse().ok(),
                None => {
                    let kind = val.kind();
                    return Err(Stop::fails(format!("in_network() takes an address, not {kind}")));
                }
            },
        },
    };
    let address = address.map(|address: IpAddr| address.to_canonical());
    let inside = |address| networks.iter().any(|network| network.contains(&address));
    Ok(Val::Bool(address.is_some_and(inside)))
}

/// A number below `count` that is the same for a seed and a device wherever and
/// whenever it is asked for, and evenly spread.
pub(super) fn bucket(seed: &str, device: &str, count: u32) -> u32 {
    // FNV-1a, and the last steps of SplitMix64 to spread what it leaves close.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.bytes().chain([0]).chain(device.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    u32::try_from(hash % u64::from(count.max(1))).unwrap_or_default()
}

fn call<'a>(machine: &mut Machine<'a>, function: Function, args: &[Val<'a>]) -> Run<'a> {
    let first = args.first().unwrap_or(&Val::Null);
    let texts = || first.text().zip(args.get(1).and_then(Val::text));
    let made = match function {
        Function::Size => size(first),
        Function::Contains => texts().map(|(a, b)| Val::Bool(a.contains(b))),
        Function::StartsWith => texts().map(|(a, b)| Val::Bool(a.starts_with(b))),
        Function::EndsWith => texts().map(|(a, b)| Val::Bool(a.ends_with(b))),
        Function::Lower => first.text().map(|text| Val::made(text.to_ascii_lowercase())),
        Function::Upper => first.text().map(|text| Val::made(text.to_ascii_uppercase())),
        Function::ToText => to_text(first),
        Function::ToInt => return to_int(first),
        Function::ToDouble => return to_double(first),
        Function::ToBool => to_bool(first),
        Function::HasTag => {
            let tags = &machine.subject().labels.tags;
            first.text().map(|tag| Val::Bool(tags.contains(tag)))
        }
        // A version that is not known is not at least, and not below, any other.
        Function::VersionAtLeast | Function::VersionBelow
            if args.iter().any(|arg| matches!(arg, Val::Null)) =>
        {
            Some(Val::Bool(false))
        }
        Function::VersionAtLeast => texts().map(|(a, b)| Val::Bool(compare_versions(a, b).is_ge())),
        Function::VersionBelow => texts().map(|(a, b)| Val::Bool(compare_versions(a, b).is_lt())),
    };
    made.ok_or_else(|| {
        let mut problem = format!("{}() cannot take ", function.name());
        for (place, arg) in args.iter().enumerate() {
            let _ = write!(problem, "{}{}", if place > 0 { " and " } else { "" }, arg.kind());
        }
        Stop::fails(problem)
    })
}

fn size<'a>(val: &Val<'a>) -> Option<Val<'a>> {
    let size = val.len().or_else(|| val.text().map(|text| text.chars().count()))?;
    Some(Val::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn to_text<'a>(val: &Val<'a>) -> Option<Val<'a>> {
    match val {
        Val::Bool(truth) => Some(Val::Text(if *truth { "true" } else { "false" })),
        Val::Int(number) => Some(Val::made(number.to_string())),
        Val::Double(number) => Some(Val::made(number.to_string())),
        Val::Text(_) | Val::Made(_) => Some(val.clone()),
        _ => None,
    }
}

fn to_int<'a>(val: &Val<'_>) -> Run<'a> {
    let made = match val {
        Val::Int(number) => Some(*number),
        // Open at both ends, as CEL has it.
        Val::Double(number) if *number > i64::MIN as f64 && *number < i64::MAX as f64 => {
            Some(*number as i64)
        }
        val => val.text().and_then(|text| text.parse().ok()),
    };
    made.map(Val::Int).ok_or_else(|| no_number("int", val))
}

fn to_double<'a>(val: &Val<'_>) -> Run<'a> {
    let made = match val {
        Val::Int(number) => Some(*number as f64),
        Val::Double(number) => Some(*number),
        val => val.text().and_then(|text| text.parse().ok()),
    };
    made.map(Val::Double).ok_or_else(|| no_number("double", val))
}

fn no_number(function: &str, val: &Val<'_>) -> Stop {
    match val.text() {
        Some(_) => Stop::fails(format!("{function}() finds no number in the text")),
        None => Stop::fails(format!("{function}() cannot take {}", val.kind())),
    }
}

fn to_bool<'a>(val: &Val<'_>) -> Option<Val<'a>> {
    if let Val::Bool(truth) = val {
        return Some(Val::Bool(*truth));
    }
    match val.text()? {
        "1" | "t" | "true" | "TRUE" | "True" => Some(Val::Bool(true)),
        "0" | "f" | "false" | "FALSE" | "False" => Some(Val::Bool(false)),
        _ => None,
    }
}
