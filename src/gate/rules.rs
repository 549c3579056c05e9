//! What becomes of a device that nobody knows: the operator's rules.

use crate::class::Class;
use crate::config::{AdmissionAction, AdmissionConfig};
use crate::expr::{Rule, RuleError, Subject};

/// One of `[[admission.rules]]` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("admission.rules[{position}].match: {problem}")]
pub struct AdmissionRuleError {
    /// Which one, from 1.
    pub position: usize,
    /// Where and why.
    pub problem: RuleError,
}

impl AdmissionRuleError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What was found on a device, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What becomes of it.
    pub action: AdmissionAction,
    /// Why, in words; empty if no rule was about it.
    pub why: Box<str>,
}

/// The rules of `[admission]`, read.
#[derive(Debug)]
pub struct AdmissionRules {
    rules: Vec<(Rule, AdmissionAction)>,
    otherwise: AdmissionAction,
}

impl AdmissionRules {
    /// Reads the rules of the settings.
    ///
    /// # Errors
    /// [`AdmissionRuleError`], naming the rule.
    pub fn read(config: &AdmissionConfig) -> Result<Self, AdmissionRuleError> {
        let rules = config.rules.iter().zip(1..).map(|(rule, position)| {
            let read = Rule::parse(&rule.matches);
            read.map(|read| (read, rule.action))
                .map_err(|problem| AdmissionRuleError { position, problem })
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()?, otherwise: config.unknown })
    }

    /// Whether a rule asks for parameters.
    pub fn need_tree(&self) -> bool {
        self.rules.iter().any(|(rule, _)| rule.needs_tree())
    }

    /// Whether a rule asks for the phone.
    pub fn need_phone(&self) -> bool {
        self.rules.iter().any(|(rule, _)| rule.needs_phone())
    }

    /// What becomes of a device that nobody knows: the first rule that is about
    /// it decides. One that cannot be told of it keeps it waiting, since it might
    /// have been denied.
    pub fn judge(&self, subject: &Subject<'_>) -> Ruling {
        for ((rule, action), position) in self.rules.iter().zip(1..) {
            match rule.matches(subject) {
                Ok(false) => {}
                Ok(true) => {
                    return Ruling { action: *action, why: format!("rule {position}").into() };
                }
                Err(error) => {
                    let why = format!("rule {position} cannot be told: {error}").into();
                    return Ruling { action: AdmissionAction::Quarantine, why };
                }
            }
        }
        Ruling { action: self.otherwise, why: "".into() }
    }
}
