//! Runs a rule for one device, and counts what that costs.

use super::Subject;
use super::node::{Node, Walk, Walked};
use super::operate;
use super::rule::RuleError;
use super::value::Val;
use crate::param::ParamPath;

/// What one device may cost, in steps: far more than any rule needs that a
/// person writes.
const MAX_STEPS: u64 = 100_000;

/// Why there is no value.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be told; `&&` and `||` may not need it.
    Fails(RuleError),
    /// It took too much, and nothing saves it.
    Spent,
}

impl Stop {
    pub(super) fn fails(problem: impl Into<String>) -> Self {
        Self::Fails(RuleError(problem.into()))
    }

    pub(super) fn into_error(self) -> RuleError {
        match self {
            Self::Fails(error) => error,
            Self::Spent => RuleError(
                "the rule takes too much for this device; walk through fewer lists".to_owned(),
            ),
        }
    }
}

pub(super) type Run<'a> = Result<Val<'a>, Stop>;

/// One rule and one device.
pub(super) struct Machine<'a> {
    subject: &'a Subject<'a>,
    reads: &'a [ParamPath],
    locals: Vec<Val<'a>>,
    /// The places of parameters that were asked for and are not known.
    pub(super) missed: Vec<usize>,
    left: u64,
}

impl<'a> Machine<'a> {
    pub(super) const fn new(subject: &'a Subject<'a>, reads: &'a [ParamPath]) -> Self {
        Self { subject, reads, locals: Vec::new(), missed: Vec::new(), left: MAX_STEPS }
    }

    /// Notes that something costs so many steps.
    pub(super) const fn spend(&mut self, steps: u64) -> Result<(), Stop> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Stop::Spent)
            }
        }
    }

    pub(super) const fn subject(&self) -> &'a Subject<'a> {
        self.subject
    }

    /// The value of a part.
    pub(super) fn run(&mut self, node: &'a Node) -> Run<'a> {
        self.spend(1)?;
        let subject = self.subject;
        Ok(match node {
            Node::Null => Val::Null,
            Node::Bool(truth) => Val::Bool(*truth),
            Node::Int(number) => Val::Int(*number),
            Node::Double(number) => Val::Double(*number),
            Node::Text(text) => Val::Text(text),
            Node::Device(field) => field.of(subject.device),
            Node::Phone => subject.phone.map_or(Val::Null, Val::Phone),
            Node::PhoneMember(field) => subject.phone.map_or(Val::Null, |phone| field.of(phone)),
            Node::HasPhone => Val::Bool(subject.phone.is_some()),
            Node::Tenant => Val::Text(&subject.labels.tenant),
            Node::Site => Val::Text(&subject.labels.site),
            Node::Tags => Val::Tags(&subject.labels.tags),
            Node::Now => Val::Int(subject.now.as_secs()),
            Node::Subscriber => Val::Subscriber(&subject.labels.subscriber),
            Node::Subscribed(name) => self.subscribed(name),
            Node::HasSubscribed(name) => Val::Bool(subject.labels.subscriber.contains_key(&**name)),
            Node::Local(place) => self.locals.get(*place).cloned().unwrap_or(Val::Null),
            Node::Value(place) => self.value(*place),
            Node::Known(place) => Val::Bool(self.known(*place)),
            Node::And(pair) => Val::Bool(self.either(pair, false)?),
            Node::Or(pair) => Val::Bool(self.either(pair, true)?),
            Node::Not(one) => match self.run(one)? {
                Val::Bool(truth) => Val::Bool(!truth),
                other => {
                    return Err(Stop::fails(format!(
                        "`!` stands before true or false, not {}",
                        other.kind()
                    )));
                }
            },
            Node::If(three) => match self.run(&three[0])? {
                Val::Bool(true) => self.run(&three[1])?,
                Val::Bool(false) => self.run(&three[2])?,
                other => {
                    return Err(Stop::fails(format!(
                        "before `?` stands true or false, not {}",
                        other.kind()
                    )));
                }
            },
            Node::Equal(pair) => Val::Bool(self.equal(pair)?),
            Node::Differ(pair) => Val::Bool(!self.equal(pair)?),
            Node::List(members) => {
                let made: Result<Vec<_>, _> =
                    members.iter().map(|member| self.run(member)).collect();
                Val::List(made?.into())
            }
            Node::Walk(walk) => self.walk(walk)?,
            node => operate::run(self, node)?,
        })
    }

    pub(super) fn two(&mut self, pair: &'a [Node; 2]) -> Result<(Val<'a>, Val<'a>), Stop> {
        let (a, b) = (self.run(&pair[0])?, self.run(&pair[1])?);
        self.spend(a.weight().min(b.weight()))?;
        Ok((a, b))
    }

    fn equal(&mut self, pair: &'a [Node; 2]) -> Result<bool, Stop> {
        let (a, b) = self.two(pair)?;
        Ok(a.equals(&b))
    }

    /// `&&` (decided by false) and `||` (decided by true): what decides does so
    /// whatever the other side is, even if that cannot be told.
    fn either(&mut self, pair: &'a [Node; 2], decides: bool) -> Result<bool, Stop> {
        let left = match self.run(&pair[0]) {
            Err(Stop::Spent) => return Err(Stop::Spent),
            Ok(Val::Bool(truth)) if truth == decides => return Ok(truth),
            left => left,
        };
        let right = self.run(&pair[1])?;
        let sign = if decides { "||" } else { "&&" };
        match (left, right) {
            (_, Val::Bool(truth)) if truth == decides => Ok(truth),
            (Err(error), _) => Err(error),
            (Ok(Val::Bool(_)), Val::Bool(truth)) => Ok(truth),
            (Ok(Val::Bool(_)), other) | (Ok(other), _) => Err(Stop::fails(format!(
                "`{sign}` stands between true or false, not {}",
                other.kind()
            ))),
        }
    }

    fn value(&mut self, place: usize) -> Val<'a> {
        let path = self.reads.get(place);
        let value = path.and_then(|path| self.subject.tree?.value(path.as_str()));
        if value.is_none() {
            self.miss(place);
        }
        value.map_or(Val::Null, Val::of)
    }

    fn known(&mut self, place: usize) -> bool {
        let known = self.subject.tree.zip(self.reads.get(place)).is_some_and(|(tree, path)| {
            if path.is_object() {
                tree.under(path.as_str()).next().is_some()
            } else {
                tree.value(path.as_str()).is_some()
            }
        });
        if !known {
            self.miss(place);
        }
        known
    }

    fn miss(&mut self, place: usize) {
        if !self.missed.contains(&place) {
            self.missed.push(place);
        }
    }

    pub(super) fn subscribed(&self, name: &str) -> Val<'a> {
        let found = self.subject.labels.subscriber.get(name);
        found.map_or(Val::Null, |text| Val::Text(text))
    }

    fn walk(&mut self, walk: &'a Walk) -> Run<'a> {
        let range = self.run(&walk.range)?;
        let Some(members) = range.members() else {
            return Err(Stop::fails(format!(
                "only a list can be walked through, not {}",
                range.kind()
            )));
        };
        let (mut taken, mut pending) = (Vec::new(), None);
        for member in members {
            self.spend(member.weight())?;
            let tested = match &walk.test {
                Some(test) => self.test(test, member.clone()),
                None => Ok(true),
            };
            match (walk.what, tested) {
                (_, Err(Stop::Spent)) => return Err(Stop::Spent),
                // One member that decides saves those that cannot be told.
                (Walked::All, Ok(false)) => return Ok(Val::Bool(false)),
                (Walked::Exists, Ok(true)) => return Ok(Val::Bool(true)),
                (Walked::All | Walked::Exists, Err(error)) => pending = Some(error),
                (_, Err(error)) => return Err(error),
                (Walked::All | Walked::Exists, Ok(_)) | (_, Ok(false)) => {}
                (Walked::ExistsOne | Walked::Filter, Ok(true)) => taken.push(member),
                (Walked::Map, Ok(true)) => {
                    let made = match &walk.made {
                        Some(made) => self.with(made, member)?,
                        None => member,
                    };
                    self.spend(made.weight())?;
                    taken.push(made);
                }
            }
        }
        match (walk.what, pending) {
            (_, Some(error)) => Err(error),
            (Walked::All, None) => Ok(Val::Bool(true)),
            (Walked::Exists, None) => Ok(Val::Bool(false)),
            (Walked::ExistsOne, None) => Ok(Val::Bool(taken.len() == 1)),
            (Walked::Filter | Walked::Map, None) => Ok(Val::List(taken.into())),
        }
    }

    fn test(&mut self, test: &'a Node, member: Val<'a>) -> Result<bool, Stop> {
        match self.with(test, member)? {
            Val::Bool(truth) => Ok(truth),
            other => {
                Err(Stop::fails(format!("a test of a list is true or false, not {}", other.kind())))
            }
        }
    }

    /// Runs a part with one more variable.
    fn with(&mut self, node: &'a Node, member: Val<'a>) -> Run<'a> {
        self.locals.push(member);
        let made = self.run(node);
        self.locals.pop();
        made
    }
}
