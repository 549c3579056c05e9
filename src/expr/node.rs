//! What a rule is made of after it was read.

use ipnet::IpNet;
use regex::Regex;

use super::field::{DeviceField, PhoneField};

/// A part of a rule. Everything that can be looked up by name is, so that
/// running it compares no names.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Device(DeviceField),
    Phone,
    PhoneMember(PhoneField),
    HasPhone,
    Tenant,
    Site,
    Tags,
    Now,
    Subscriber,
    Subscribed(Box<str>),
    HasSubscribed(Box<str>),
    /// The variable of a list's walk, counted from the outermost.
    Local(usize),
    /// A parameter's value, by its place among those that the rule reads.
    Value(usize),
    Known(usize),
    Not(Box<Self>),
    Negate(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    If(Box<[Self; 3]>),
    Equal(Box<[Self; 2]>),
    Differ(Box<[Self; 2]>),
    Order(Ordered, Box<[Self; 2]>),
    In(Box<[Self; 2]>),
    Sum(Operator, Box<[Self; 2]>),
    Index(Box<[Self; 2]>),
    List(Box<[Self]>),
    Call(Function, Box<[Self]>),
    Matches(Box<Self>, Box<Regex>),
    InNetwork(Box<Self>, Box<[IpNet]>),
    /// A stable number below the second, made from the first and the device.
    Bucket(Box<str>, u32),
    Walk(Box<Walk>),
}

/// How two values are to stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordered {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is made of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What can be called by name and needs nothing but values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Lower,
    Upper,
    ToText,
    ToInt,
    ToDouble,
    ToBool,
    HasTag,
    VersionAtLeast,
    VersionBelow,
}

/// A walk through a list: what CEL calls a macro.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) what: Walked,
    pub(super) range: Node,
    /// Whether a member is taken; for [`Walked::Map`] it may be missing.
    pub(super) test: Option<Node>,
    /// What is made of a member, for [`Walked::Map`].
    pub(super) made: Option<Node>,
}

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Ordered {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Operator {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Function {
    /// Those that are called as `f(a, …)`, with how many arguments.
    pub(super) const GLOBAL: &[(&'static str, usize, Self)] = &[
        ("size", 1, Self::Size),
        ("string", 1, Self::ToText),
        ("int", 1, Self::ToInt),
        ("double", 1, Self::ToDouble),
        ("bool", 1, Self::ToBool),
        ("has_tag", 1, Self::HasTag),
        ("version_at_least", 2, Self::VersionAtLeast),
        ("version_below", 2, Self::VersionBelow),
    ];
    /// Those that are called as `a.f(…)`, with how many arguments after `a`.
    pub(super) const MEMBER: &[(&'static str, usize, Self)] = &[
        ("size", 0, Self::Size),
        ("contains", 1, Self::Contains),
        ("startsWith", 1, Self::StartsWith),
        ("endsWith", 1, Self::EndsWith),
        ("lowerAscii", 0, Self::Lower),
        ("upperAscii", 0, Self::Upper),
    ];

    pub(super) fn name(self) -> &'static str {
        let known = Self::GLOBAL.iter().chain(Self::MEMBER);
        known.into_iter().find(|(_, _, it)| *it == self).map_or("?", |(name, _, _)| name)
    }
}
