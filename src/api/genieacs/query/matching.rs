//! A condition held against a document, as MongoDB would.

use std::cmp::Ordering;

use super::super::node::Node;
use super::condition::{Condition, Literal, Test};

/// Whether a document fits a condition.
pub(in super::super) fn fits(condition: &Condition, document: &Node) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| fits(part, document)),
        Condition::Any(parts) => parts.iter().any(|part| fits(part, document)),
        Condition::Not(part) => !fits(part, document),
        Condition::Is(path, test) => test.fits(&document.at(path)),
    }
}

impl Test {
    fn fits(&self, found: &[&Node]) -> bool {
        match self {
            Self::Exists(wanted) => found.is_empty() != *wanted,
            Self::Size(size) => {
                found.iter().any(|node| matches!(node, Node::List(items) if items.len() == *size))
            }
            Self::In(literals) => literals.iter().any(|literal| match literal {
                Literal::Null => found.is_empty() || any(found, |node| *node == Node::Null),
                literal => any(found, |node| literal.is(node)),
            }),
            Self::Less(literal) => any(found, |node| literal.order(node) == Some(Ordering::Less)),
            Self::AtMost(literal) => any(found, |node| {
                matches!(literal.order(node), Some(Ordering::Less | Ordering::Equal))
            }),
            Self::Greater(literal) => {
                any(found, |node| literal.order(node) == Some(Ordering::Greater))
            }
            Self::AtLeast(literal) => any(found, |node| {
                matches!(literal.order(node), Some(Ordering::Greater | Ordering::Equal))
            }),
        }
    }
}

/// Whether one of the nodes fits, or one of the elements of a list.
fn any(found: &[&Node], fits: impl Fn(&Node) -> bool) -> bool {
    found.iter().any(|node| match node {
        Node::List(items) => fits(node) || items.iter().any(&fits),
        node => fits(node),
    })
}

impl Literal {
    /// Whether a node is this.
    fn is(&self, node: &Node) -> bool {
        match (self, node) {
            (Self::Pattern(pattern), Node::Text(text)) => pattern.is_match(text),
            (Self::Whole(whole), node) => whole == node,
            _ => self.order(node) == Some(Ordering::Equal),
        }
    }

    /// How a node stands to this; `None` where they are not of one kind.
    fn order(&self, node: &Node) -> Option<Ordering> {
        match (self, node) {
            (Self::Null, Node::Null) => Some(Ordering::Equal),
            (Self::Boolean(truth), Node::Boolean(other)) => Some(other.cmp(truth)),
            (Self::Number(number), node @ Node::Number(_)) => node.number()?.partial_cmp(number),
            (Self::Text(text), Node::Text(other)) => Some(other.cmp(text)),
            (Self::Time(time), Node::Time(other)) => Some(other.cmp(time)),
            _ => None,
        }
    }
}

/// The order in which documents are sorted: what is not there first, then by kind,
/// then by value.
pub(in super::super) fn compare(one: &Node, other: &Node) -> Ordering {
    const fn rank(node: &Node) -> u8 {
        match node {
            Node::Null => 0,
            Node::Number(_) => 1,
            Node::Text(_) => 2,
            Node::Object(_) => 3,
            Node::List(_) => 4,
            Node::Boolean(_) => 5,
            Node::Time(_) => 6,
        }
    }
    match (one, other) {
        (Node::Number(_), Node::Number(_)) => {
            one.number().partial_cmp(&other.number()).unwrap_or(Ordering::Equal)
        }
        (Node::Text(one), Node::Text(other)) => one.cmp(other),
        (Node::Boolean(one), Node::Boolean(other)) => one.cmp(other),
        (Node::Time(one), Node::Time(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}
