//! From what the parser found to what is run: every name is looked up once,
//! here, and what is not in the language is refused with what would be right.

use std::net::IpAddr;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr};
use ipnet::IpNet;
use regex::{Regex, RegexBuilder};

use super::field::{DeviceField, PhoneField};
use super::nearest::nearest;
use super::node::{Function, Node, Operator, Ordered, Walk, Walked};
use super::rule::RuleError;
use crate::param::ParamPath;

/// The deepest nesting that is walked into; the guard allows fewer, but walks
/// through lists are more than they look.
const MAX_DEPTH: usize = 200;
/// The most memory for one regular expression, in bytes.
const MAX_REGEX: usize = 256 << 10;
/// The most regular expressions of a rule.
const MAX_REGEXES: usize = 8;
/// The most numbers that `bucket` tells apart.
const MAX_BUCKETS: i64 = 1_000_000;

const VARIABLES: &[&str] = &["device", "tags", "tenant", "site", "subscriber", "phone", "now"];
const SPECIAL: &[&str] = &["value", "known", "in_network", "bucket", "matches", "has"];
const WALKS: &[&str] = &["all", "exists", "exists_one", "filter", "map", "matches"];

type Made = Result<Node, RuleError>;

/// Reads one rule.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    /// The variables of the walks that are open, outermost first.
    locals: Vec<String>,
    /// The parameters that are asked for.
    pub(super) reads: Vec<ParamPath>,
    pub(super) needs_phone: bool,
    pub(super) needs_time: bool,
    depth: usize,
    regexes: usize,
}

fn refused<T>(problem: impl Into<String>) -> Result<T, RuleError> {
    Err(RuleError(problem.into()))
}

/// Says that a name is not known, and which one is nearest.
fn unknown<T>(what: &str, name: &str, known: &[&str]) -> Result<T, RuleError> {
    let near = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    let name: String = name.chars().take(64).collect();
    refused(format!("there is no {what} `{name}`; {near}"))
}

fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}

impl Compiler {
    /// Reads one part and all below it.
    pub(super) fn read(&mut self, part: &IdedExpr) -> Made {
        if self.depth >= MAX_DEPTH {
            return refused("the rule is nested too deep; write it in fewer brackets");
        }
        self.depth += 1;
        let made = match &part.expr {
            Expr::Literal(literal) => constant(literal),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.member(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(walk) => self.walk(walk),
            Expr::List(list) => {
                let members: Result<_, _> =
                    list.elements.iter().map(|member| self.read(member)).collect();
                members.map(Node::List)
            }
            Expr::Map(_) => refused("a rule cannot hold a map; write a list: [\"a\", \"b\"]"),
            Expr::Struct(_) | Expr::Unspecified => {
                refused("a rule is made of comparisons: device.product_class == \"HG100\"")
            }
        };
        self.depth -= 1;
        made
    }

    fn boxed(&mut self, part: &IdedExpr) -> Result<Box<Node>, RuleError> {
        self.read(part).map(Box::new)
    }

    fn pair(&mut self, args: &[IdedExpr]) -> Result<Box<[Node; 2]>, RuleError> {
        match args {
            [a, b] => Ok(Box::new([self.read(a)?, self.read(b)?])),
            _ => refused("an operator stands between two values"),
        }
    }

    fn local(&self, name: &str) -> Option<usize> {
        self.locals.iter().rposition(|local| local == name)
    }

    fn variable(&mut self, name: &str) -> Made {
        if let Some(place) = self.local(name) {
            return Ok(Node::Local(place));
        }
        match name {
            "device" => refused(format!(
                "`device` has members: write device.serial, or one of {}",
                names(DeviceField::ALL).join(", ")
            )),
            "tags" => Ok(Node::Tags),
            "tenant" => Ok(Node::Tenant),
            "site" => Ok(Node::Site),
            "subscriber" => Ok(Node::Subscriber),
            "phone" => {
                self.needs_phone = true;
                Ok(Node::Phone)
            }
            "now" => {
                self.needs_time = true;
                Ok(Node::Now)
            }
            _ if name.starts_with("Device.")
                || name == "Device"
                || name == "InternetGatewayDevice" =>
            {
                refused("a parameter is asked for by value(): value(\"Device.X.Y\") == 1")
            }
            _ if DeviceField::named(name).is_some() => {
                refused(format!("there is no variable `{name}`; did you mean device.{name}?"))
            }
            _ => unknown("variable", name, VARIABLES),
        }
    }

    fn member(&mut self, select: &SelectExpr) -> Made {
        let field = select.field.as_str();
        if let Expr::Ident(name) = &select.operand.expr
            && self.local(name).is_none()
        {
            match name.as_str() {
                "device" => {
                    let Some(found) = DeviceField::named(field) else {
                        return unknown("member of device", field, &names(DeviceField::ALL));
                    };
                    return Ok(if select.test { Node::Bool(true) } else { Node::Device(found) });
                }
                "phone" => {
                    self.needs_phone = true;
                    let Some(found) = PhoneField::named(field) else {
                        return unknown("member of phone", field, &names(PhoneField::ALL));
                    };
                    return Ok(if select.test { Node::HasPhone } else { Node::PhoneMember(found) });
                }
                "subscriber" if select.test => return Ok(Node::HasSubscribed(field.into())),
                "subscriber" => return Ok(Node::Subscribed(field.into())),
                "Device" | "InternetGatewayDevice" => return self.variable(name),
                _ => {}
            }
        }
        self.read(&select.operand)?;
        refused(format!("only device, phone and subscriber have members: `.{field}` has no place"))
    }

    fn call(&mut self, call: &CallExpr) -> Made {
        let args = call.args.as_slice();
        if let Some(target) = &call.target {
            return self.member_call(&call.func_name, target, args);
        }
        let ordered = |order| move |pair| Node::Order(order, pair);
        let sum = |operator| move |pair| Node::Sum(operator, pair);
        match call.func_name.as_str() {
            op::CONDITIONAL => match args {
                [test, then, other] => {
                    let three = [self.read(test)?, self.read(then)?, self.read(other)?];
                    Ok(Node::If(Box::new(three)))
                }
                _ => refused("a choice is written: test ? this : that"),
            },
            op::LOGICAL_AND => self.pair(args).map(Node::And),
            op::LOGICAL_OR => self.pair(args).map(Node::Or),
            op::EQUALS => self.pair(args).map(Node::Equal),
            op::NOT_EQUALS => self.pair(args).map(Node::Differ),
            op::LESS => self.pair(args).map(ordered(Ordered::Less)),
            op::LESS_EQUALS => self.pair(args).map(ordered(Ordered::LessOrEqual)),
            op::GREATER => self.pair(args).map(ordered(Ordered::Greater)),
            op::GREATER_EQUALS => self.pair(args).map(ordered(Ordered::GreaterOrEqual)),
            op::IN => self.pair(args).map(Node::In),
            op::ADD => self.pair(args).map(sum(Operator::Add)),
            op::SUBSTRACT => self.pair(args).map(sum(Operator::Subtract)),
            op::MULTIPLY => self.pair(args).map(sum(Operator::Multiply)),
            op::DIVIDE => self.pair(args).map(sum(Operator::Divide)),
            op::MODULO => self.pair(args).map(sum(Operator::Remainder)),
            op::INDEX => self.index(args),
            op::LOGICAL_NOT | op::NEGATE => match args {
                [one] if call.func_name == op::NEGATE => self.boxed(one).map(Node::Negate),
                [one] => self.boxed(one).map(Node::Not),
                _ => refused("`!` and `-` stand before one value"),
            },
            name => self.global_call(name, args),
        }
    }

    fn index(&mut self, args: &[IdedExpr]) -> Made {
        if let [target, index] = args
            && let (Expr::Ident(name), Some(field)) = (&target.expr, literal(index))
            && self.local(name).is_none()
            && matches!(name.as_str(), "device" | "phone" | "subscriber")
        {
            return self.member(&SelectExpr {
                operand: Box::new(target.clone()),
                field: field.to_owned(),
                test: false,
            });
        }
        self.pair(args).map(Node::Index)
    }

    fn global_call(&mut self, name: &str, args: &[IdedExpr]) -> Made {
        match (name, args) {
            ("value", [path]) => self.path("value", path).map(Node::Value),
            ("known", [path]) => self.path("known", path).map(Node::Known),
            ("matches", [text, pattern]) => self.matches(text, pattern),
            ("in_network", [address, networks]) => {
                let networks = read_networks(networks)?;
                Ok(Node::InNetwork(self.boxed(address)?, networks))
            }
            ("bucket", [seed, count]) => read_bucket(seed, count),
            ("has", _) => refused("has() takes a member: has(subscriber.vlan)"),
            _ => {
                let found = Function::GLOBAL.iter().find(|(known, ..)| *known == name);
                let Some((_, count, function)) = found else {
                    if SPECIAL.contains(&name) {
                        return refused(format!("{name}() takes {}", arguments_of(name)));
                    }
                    if let Some((known, ..)) = Function::MEMBER.iter().find(|(m, ..)| *m == name) {
                        return refused(format!("write x.{known}(…) in place of {known}(x, …)"));
                    }
                    let mut known: Vec<&str> = Function::GLOBAL.iter().map(|(n, ..)| *n).collect();
                    known.extend(SPECIAL);
                    return unknown("function", name, &known);
                };
                if args.len() != *count {
                    return refused(format!("{name}() takes {count} values, not {}", args.len()));
                }
                let args: Result<_, _> = args.iter().map(|arg| self.read(arg)).collect();
                Ok(Node::Call(*function, args?))
            }
        }
    }

    fn member_call(&mut self, name: &str, target: &IdedExpr, args: &[IdedExpr]) -> Made {
        if let ("matches", [pattern]) = (name, args) {
            return self.matches(target, pattern);
        }
        let found = Function::MEMBER.iter().find(|(known, ..)| *known == name);
        let Some((_, count, function)) = found else {
            if WALKS.contains(&name) {
                return refused(format!(
                    "{name}() is written: tags.{name}({})",
                    match name {
                        "matches" => "\"a.*\"",
                        _ => "t, t.startsWith(\"a\")",
                    }
                ));
            }
            let mut known: Vec<&str> = Function::MEMBER.iter().map(|(n, ..)| *n).collect();
            known.extend(WALKS);
            return unknown("function", name, &known);
        };
        if args.len() != *count {
            return refused(format!(".{name}() takes {count} values, not {}", args.len()));
        }
        let all: Result<_, _> =
            std::iter::once(target).chain(args).map(|arg| self.read(arg)).collect();
        Ok(Node::Call(*function, all?))
    }

    /// The place of a parameter that is named in quotes.
    fn path(&mut self, function: &str, path: &IdedExpr) -> Result<usize, RuleError> {
        let Some(text) = literal(path) else {
            return refused(format!(
                "{function}() takes a path in quotes: {function}(\"Device.X.Y\")"
            ));
        };
        let path = ParamPath::parse(text)
            .map_err(|error| RuleError(format!("{function}(\"{text}\"): {error}")))?;
        let rooted = matches!(path.root(), "Device." | "InternetGatewayDevice.");
        if !rooted || path.as_str().contains(['*', '[', '@']) {
            return refused(format!(
                "{function}(\"{text}\"): write the whole path of one parameter, from Device. or InternetGatewayDevice. on"
            ));
        }
        if path.is_object() && function == "value" {
            return refused(format!("value(\"{text}\"): an object has no value; name a parameter"));
        }
        if let Some(place) = self.reads.iter().position(|known| *known == path) {
            return Ok(place);
        }
        self.reads.push(path);
        Ok(self.reads.len() - 1)
    }

    fn matches(&mut self, text: &IdedExpr, pattern: &IdedExpr) -> Made {
        let Some(pattern) = literal(pattern) else {
            return refused(
                "matches() takes a pattern in quotes: device.serial.matches(\"^A[0-9]+\")",
            );
        };
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            return refused(format!("a rule has at most {MAX_REGEXES} patterns"));
        }
        let regex = read_regex(pattern)?;
        Ok(Node::Matches(self.boxed(text)?, Box::new(regex)))
    }

    /// What the parser makes of `all`, `exists`, `exists_one`, `filter` and
    /// `map` is told apart by its form.
    fn walk(&mut self, walk: &ComprehensionExpr) -> Made {
        let range = self.read(&walk.iter_range)?;
        let Some((what, test, made)) = form_of(walk) else {
            return refused("lists are walked by all, exists, exists_one, filter and map");
        };
        if VARIABLES.contains(&walk.iter_var.as_str()) {
            let name = &walk.iter_var;
            return refused(format!(
                "`{name}` is a variable already; give the list's another name"
            ));
        }
        self.locals.push(walk.iter_var.clone());
        let test = test.map(|test| self.read(test)).transpose();
        let made = made.map(|made| self.read(made)).transpose();
        self.locals.pop();
        Ok(Node::Walk(Box::new(Walk { what, range, test: test?, made: made? })))
    }
}

type Form<'e> = (Walked, Option<&'e IdedExpr>, Option<&'e IdedExpr>);

/// Which walk it is, its test, and what it makes.
fn form_of(walk: &ComprehensionExpr) -> Option<Form<'_>> {
    let Expr::Call(step) = &walk.loop_step.expr else { return None };
    let is_so_far =
        |part: &IdedExpr| matches!(&part.expr, Expr::Ident(name) if *name == walk.accu_var);
    let appended = |part: &'_ IdedExpr| -> bool {
        matches!(&part.expr, Expr::Call(call) if call.func_name == op::ADD
            && call.args.first().is_some_and(is_so_far))
    };
    match (step.func_name.as_str(), step.args.as_slice()) {
        (op::LOGICAL_AND, [so_far, test]) if is_so_far(so_far) => {
            Some((Walked::All, Some(test), None))
        }
        (op::LOGICAL_OR, [so_far, test]) if is_so_far(so_far) => {
            Some((Walked::Exists, Some(test), None))
        }
        (op::ADD, [so_far, _]) if is_so_far(so_far) => {
            Some((Walked::Map, None, Some(only_member(&walk.loop_step)?)))
        }
        (op::CONDITIONAL, [test, then, so_far]) if is_so_far(so_far) && appended(then) => {
            match &walk.accu_init.expr {
                Expr::Literal(LiteralValue::Int(_)) => Some((Walked::ExistsOne, Some(test), None)),
                Expr::List(_) => {
                    let made = only_member(then)?;
                    let itself = matches!(&made.expr, Expr::Ident(name) if *name == walk.iter_var);
                    let what = if itself { Walked::Filter } else { Walked::Map };
                    Some((what, Some(test), if itself { None } else { Some(made) }))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The `x` of `@result + [x]`.
fn only_member(step: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &step.expr else { return None };
    match &call.args.get(1)?.expr {
        Expr::List(list) => list.elements.first(),
        _ => None,
    }
}

fn constant(literal: &LiteralValue) -> Made {
    match literal {
        LiteralValue::Boolean(truth) => Ok(Node::Bool(*truth.inner())),
        LiteralValue::Int(number) => Ok(Node::Int(*number.inner())),
        LiteralValue::Double(number) => Ok(Node::Double(*number.inner())),
        LiteralValue::String(text) => Ok(Node::Text(text.inner().into())),
        LiteralValue::Null => Ok(Node::Null),
        LiteralValue::UInt(number) => {
            let number = number.inner();
            refused(format!("write {number} in place of {number}u"))
        }
        LiteralValue::Bytes(_) => refused("write \"…\" in place of b\"…\""),
    }
}

/// The text of a part that is a text in quotes.
fn literal(part: &IdedExpr) -> Option<&str> {
    match &part.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn arguments_of(function: &str) -> &'static str {
    match function {
        "in_network" => "an address and a network: in_network(device.address, \"10.0.0.0/8\")",
        "bucket" => "a word and a number: bucket(\"canary\", 100) < 5",
        "matches" => "a text and a pattern: matches(device.serial, \"^A[0-9]+\")",
        _ => "one path in quotes: value(\"Device.X.Y\")",
    }
}

fn read_regex(pattern: &str) -> Result<Regex, RuleError> {
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .nest_limit(32)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            RuleError("a pattern is too large; write fewer or smaller repetitions".to_owned())
        }
        error => {
            // Only the last line of it says what is wrong.
            let told = error.to_string();
            let told = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            RuleError(format!("a pattern cannot be read: {told}"))
        }
    })
}

fn read_networks(part: &IdedExpr) -> Result<Box<[IpNet]>, RuleError> {
    let wrong = || RuleError(format!("in_network() takes {}", arguments_of("in_network")));
    let one = |part: &IdedExpr| {
        let text = literal(part).ok_or_else(wrong)?;
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map_err(|_| {
            let text: String = text.chars().take(64).collect();
            RuleError(format!(
                "\"{text}\" is no network; write \"10.0.0.0/8\" or \"2001:db8::/32\""
            ))
        })
    };
    match &part.expr {
        Expr::List(list) => list.elements.iter().map(one).collect(),
        _ => Ok(Box::new([one(part)?])),
    }
}

fn read_bucket(seed: &IdedExpr, count: &IdedExpr) -> Made {
    let count = match &count.expr {
        Expr::Literal(LiteralValue::Int(count)) => *count.inner(),
        _ => 0,
    };
    match (literal(seed), u32::try_from(count)) {
        (Some(seed), Ok(size)) if (1..=MAX_BUCKETS).contains(&count) => {
            Ok(Node::Bucket(seed.into(), size))
        }
        _ => refused(format!("bucket() takes {}", arguments_of("bucket"))),
    }
}
