//! Rules: which devices are meant (CEL).

use cel::parser::PrattParser;

use super::Subject;
use super::compile::Compiler;
use super::field::DeviceField;
use super::guard;
use super::machine::Machine;
use super::node::Node;
use super::value::Val;
use crate::class::Class;
use crate::param::ParamPath;

/// The longest rule, in bytes.
pub const MAX_RULE: usize = 4096;

/// A rule that was read and is known to be sound.
#[derive(Debug)]
pub struct Rule {
    text: Box<str>,
    root: Node,
    reads: Box<[ParamPath]>,
    needs_phone: bool,
    needs_time: bool,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub String);

impl RuleError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What a device must be for a rule to be true at all, as far as that can be
/// told without running it: what a set of rules is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pinned<'a> {
    /// The only OUI.
    pub oui: Option<&'a str>,
    /// The only product class.
    pub product_class: Option<&'a str>,
}

impl Rule {
    /// Reads a rule; an empty one is about every device.
    ///
    /// # Errors
    /// [`RuleError`], in one line that says where and what would be right.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        Self::read(text).map_err(|error| RuleError(one_line(&error.0)))
    }

    fn read(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        guard::check(text)?;
        let mut compiler = Compiler::default();
        let root = if text.is_empty() {
            Node::Bool(true)
        } else {
            let parser = PrattParser::new()
                .max_recursion_depth(96)
                .error_recovery_limit(1)
                .max_expression_node_count(MAX_RULE * 4);
            let parsed = parser.parse(text).map_err(|errors| not_read(&errors))?;
            compiler.read(&parsed)?
        };
        if let Some(kind) = no_answer(&root) {
            return Err(RuleError(format!(
                "a rule answers true or false, this one {kind}; compare it with something"
            )));
        }
        Ok(Self {
            text: text.into(),
            root,
            reads: compiler.reads.into(),
            needs_phone: compiler.needs_phone,
            needs_time: compiler.needs_time,
        })
    }

    /// The rule as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks for parameters, so that the tree has to be loaded.
    pub const fn needs_tree(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Whether it asks for the phone.
    pub const fn needs_phone(&self) -> bool {
        self.needs_phone
    }

    /// Whether it asks for the time, so that its answer can change by itself.
    pub const fn needs_time(&self) -> bool {
        self.needs_time
    }

    /// The parameters, and objects with their last dot, that it asks for.
    pub const fn reads(&self) -> &[ParamPath] {
        &self.reads
    }

    /// What a device must be for it to be true at all.
    pub fn pinned(&self) -> Pinned<'_> {
        let mut pinned = Pinned::default();
        pin(&self.root, &mut pinned);
        pinned
    }

    /// Whether a device is meant.
    ///
    /// # Errors
    /// [`RuleError`] when it cannot be told for this device: something is
    /// compared that cannot be, or it took too much. A parameter that is not
    /// known is null and no error.
    pub fn matches(&self, subject: &Subject<'_>) -> Result<bool, RuleError> {
        self.answer(&mut Machine::new(subject, &self.reads))
    }

    /// Whether a device is meant, and which parameters it took for null because
    /// they are not known: with them the answer may be another.
    ///
    /// # Errors
    /// As [`Rule::matches`]; `missed` is filled all the same.
    pub fn matches_noting(
        &self,
        subject: &Subject<'_>,
        missed: &mut Vec<ParamPath>,
    ) -> Result<bool, RuleError> {
        let mut machine = Machine::new(subject, &self.reads);
        let answer = self.answer(&mut machine);
        missed.extend(machine.missed.iter().filter_map(|place| self.reads.get(*place).cloned()));
        answer
    }

    fn answer<'a>(&'a self, machine: &mut Machine<'a>) -> Result<bool, RuleError> {
        match machine.run(&self.root) {
            Ok(Val::Bool(truth)) => Ok(truth),
            Ok(other) => Err(RuleError(format!(
                "a rule answers true or false, this one {}; compare it with something",
                other.kind()
            ))),
            Err(stop) => Err(stop.into_error()),
        }
    }
}

/// A problem in one line: names in it are somebody's text.
pub(super) fn one_line(problem: &str) -> String {
    /// The longest, in characters.
    const LONGEST: usize = 400;
    let flat = problem.chars().map(|c| if c.is_control() { ' ' } else { c });
    flat.take(LONGEST).collect()
}

/// The first thing that the parser could not read.
fn not_read(errors: &cel::ParseErrors) -> RuleError {
    let Some(first) = errors.errors.first() else {
        return RuleError("the rule cannot be read".to_owned());
    };
    let (line, column) = first.pos;
    let told = first.msg.trim_start_matches("Syntax error: ").replace("<EOF>", "the end");
    let told: String = told.chars().filter(|c| !c.is_control()).take(160).collect();
    RuleError(match line {
        1 => format!("column {column}: {told}"),
        _ if line > 1 => format!("line {line}, column {column}: {told}"),
        _ => told,
    })
}

/// What a rule is if it can never be true or false.
fn no_answer(node: &Node) -> Option<&'static str> {
    match node {
        Node::Null => Some("null"),
        Node::Int(_)
        | Node::Double(_)
        | Node::Now
        | Node::Sum(..)
        | Node::Negate(_)
        | Node::Bucket(..) => Some("a number"),
        Node::Text(_) | Node::Device(_) | Node::Tenant | Node::Site => Some("a text or a number"),
        Node::Tags | Node::List(_) => Some("a list"),
        Node::Subscriber | Node::Phone => Some("many things"),
        _ => None,
    }
}

/// Notes what the parts of a chain of `&&` compare with one text. One of them
/// that is false makes the whole false, whatever the others are.
fn pin<'a>(node: &'a Node, pinned: &mut Pinned<'a>) {
    match node {
        Node::And(pair) => pair.iter().for_each(|part| pin(part, pinned)),
        Node::Equal(pair) => {
            let (Node::Device(field), Node::Text(text)) = (&pair[0], &pair[1]) else {
                let (Node::Text(text), Node::Device(field)) = (&pair[0], &pair[1]) else { return };
                return pin_field(*field, text, pinned);
            };
            pin_field(*field, text, pinned);
        }
        _ => {}
    }
}

fn pin_field<'a>(field: DeviceField, text: &'a str, pinned: &mut Pinned<'a>) {
    match field {
        DeviceField::Oui => pinned.oui = pinned.oui.or(Some(text)),
        DeviceField::ProductClass => pinned.product_class = pinned.product_class.or(Some(text)),
        _ => {}
    }
}
