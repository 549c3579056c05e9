//! Personalities: the ways in which real devices stray from TR-069, as data.
//!
//! A [`Personality`] is a name and a list of habits. [`WireHabit`]s change how
//! the device's messages look (`wire`), [`Habit`]s what it does when it is asked
//! (`conduct`). The reference device has none. Each habit names the quirk or the
//! hostile input that it plays.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod conduct;
mod wire;

#[cfg(test)]
mod tests;

pub(super) use conduct::Conduct;

use crate::cwmp::{Namespace, TransferComplete};

/// How a device's messages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireHabit {
    /// No `cwmp:ID` at all (Q1).
    NoMessageId,
    /// An empty `cwmp:ID` (Q2).
    EmptyMessageId,
    /// Line breaks and blanks around structural texts, and before the XML
    /// declaration (Q2, Q59).
    OddWhitespace,
    /// Other prefixes than usual; `soap` is bound to the encoding namespace (Q5).
    ForeignPrefixes,
    /// Single quotes, and the encoding namespace without its last slash (Q6).
    SingleQuotes,
    /// A namespace of its own, which it also wants to be answered in (Q3, Q4).
    Namespace(&'static str),
    /// Values without a type (Q8).
    Untyped,
    /// No `Value` element where the value is empty (Q9).
    NoEmptyValues,
    /// `xsd:json` in place of `xsd:string` (Q10), `xsd:evil` (C8).
    StrangeTypes(&'static str),
    /// Array sizes that are wrong (Q14).
    WrongArraySizes,
    /// The OUI in lower case (Q35).
    LowerCaseOui,
    /// A control character and a broken byte in a text (Q27).
    BrokenBytes,
    /// A byte order mark at the front and NUL bytes at the end.
    Padded,
    /// A clock that was never set, with a fraction of a second (Q12, Q13).
    UnsetClock,
    /// An empty list of events (Q15).
    NoEvents,
    /// Each event three times (Q15).
    TripleEvents,
    /// ISO 8859-1 as the declaration says, with a letter that differs (Q26).
    Latin1,
}

/// What a device does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Hangs up on a message that begins with an XML declaration (Q55).
    HatesDeclaration,
    /// Hangs up on a message that does not (Q28).
    NeedsDeclaration,
    /// Takes `true` and `false` only (the opposite of Q11).
    WantsWords,
    /// GetParameterNames of the root fails with 9005 (Q29).
    NoRootNames,
    /// GetParameterNames with NextLevel = 0 lists nothing (Q30).
    EmptyNamesInOne,
    /// GetParameterNames with NextLevel = 0 fails with 9004 (Q30).
    NamesExceed,
    /// Objects are listed without their trailing dot.
    NoTrailingDots,
    /// GetParameterNames lists the object that was asked for as well.
    ListsItself,
    /// Each value twice in an answer.
    DoubleValues,
    /// More names than this in a GetParameterValues: 9004 (Q30).
    ReadsAtMost(usize),
    /// More names than this in a GetParameterValues: it hangs up (Q41).
    ChokesOnReads(usize),
    /// More values than this in a SetParameterValues: 9004.
    WritesAtMost(usize),
    /// Names that it does not have are left out of an answer (Q32).
    OmitsUnknown,
    /// Says of every parameter that it cannot be written (Q31).
    SaysReadOnly,
    /// Faults of SetParameterValues name no parameter (Q42).
    NamesNoParameter,
    /// Blanks at the end of every string (Q48).
    TrailingBlanks,
    /// Passwords read back as asterisks (Q54).
    MasksSecrets,
    /// Upgrades and boots, and never says TransferComplete (Q37).
    NoTransferComplete,
    /// TransferComplete with an empty CommandKey (Q38).
    KeylessTransferComplete,
    /// TransferComplete for transfers that nobody asked for, each time it
    /// informs (C4).
    StrayTransferComplete,
    /// An empty POST as the answer to a method that it does not know (Q56).
    SilentOnUnknown,
    /// Knows no GetParameterNames at all.
    NoNames,
    /// Says yes to SetParameterValues and does nothing (C1).
    YesMan,
    /// Each object has one more below it, without end (C2).
    EndlessTree,
    /// AddObject gives instance 0 (C3).
    RowZero,
    /// AddObject gives an instance that is there already (C3).
    SameRow,
    /// Hangs up once, when it is asked after so many answers; the next attempt
    /// goes well.
    VanishesAfter(u32),
    /// The same, but what it was asked is done.
    LosesAnswerAfter(u32),
    /// Runs diagnostics and never says that they are complete.
    SilentDiagnostics,
    /// Runs diagnostics for ever.
    EndlessDiagnostics,
    /// Cancels every diagnostic.
    CancelsDiagnostics,
    /// Tells thousands of hops of a trace route (C11).
    EndlessHops,
    /// Takes so many seconds for each answer (Q47).
    Slow(u16),
}

/// A device that strays from the standard in a few ways.
#[derive(Debug)]
pub struct Personality {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is like, in a line.
    pub about: &'static str,
    /// Which quirks and hostile inputs it plays.
    pub plays: &'static [&'static str],
    /// How its messages look.
    pub wire: &'static [WireHabit],
    /// What it does when it is asked.
    pub habits: &'static [Habit],
}

/// The device that follows the standard to the letter.
pub static REFERENCE: Personality = Personality {
    name: "reference",
    about: "follows the standard to the letter",
    plays: &[],
    wire: &[],
    habits: &[],
};

/// All personalities besides the reference.
#[rustfmt::skip]
pub static PERSONALITIES: &[Personality] = {
    use Habit::*;
    use WireHabit::*;
    &[
        Personality {
            name: "headerless", about: "sends no cwmp:ID", plays: &["Q1"],
            wire: &[NoMessageId], habits: &[],
        },
        Personality {
            name: "blank", about: "sends an empty cwmp:ID and pretty-printed texts", plays: &["Q2", "Q59"],
            wire: &[EmptyMessageId, OddWhitespace], habits: &[],
        },
        Personality {
            name: "prefixes", about: "uses prefixes of its own and takes the usual ones for something else", plays: &["Q5", "Q6", "Q14"],
            wire: &[ForeignPrefixes, SingleQuotes, WrongArraySizes], habits: &[],
        },
        Personality {
            name: "first-version", about: "speaks cwmp-1-0 and nothing else", plays: &["Q3"],
            wire: &[Namespace("urn:dslforum-org:cwmp-1-0")], habits: &[],
        },
        Personality {
            name: "future-version", about: "speaks a namespace that was never defined", plays: &["Q4"],
            wire: &[Namespace("urn:dslforum-org:cwmp-1-4")], habits: &[],
        },
        Personality {
            name: "untyped", about: "sends values without types, and leaves empty ones out", plays: &["Q8", "Q9"],
            wire: &[Untyped, NoEmptyValues], habits: &[],
        },
        Personality {
            name: "json", about: "calls its strings xsd:json", plays: &["Q10"],
            wire: &[StrangeTypes("json")], habits: &[],
        },
        Personality {
            name: "evil-types", about: "calls its strings xsd:evil", plays: &["C8"],
            wire: &[StrangeTypes("evil")], habits: &[],
        },
        Personality {
            name: "unset-clock", about: "never had the time", plays: &["Q12", "Q13"],
            wire: &[UnsetClock], habits: &[],
        },
        Personality {
            name: "no-events", about: "forgets to say why it informs", plays: &["Q15"],
            wire: &[NoEvents], habits: &[],
        },
        Personality {
            name: "stutterer", about: "says each event three times and each value twice", plays: &["Q15", "E"],
            wire: &[TripleEvents], habits: &[DoubleValues],
        },
        Personality {
            name: "mumbler", about: "sends broken bytes, a byte order mark and padding", plays: &["Q27", "E"],
            wire: &[BrokenBytes, Padded], habits: &[],
        },
        Personality {
            name: "latin", about: "writes ISO 8859-1", plays: &["Q26"],
            wire: &[Latin1], habits: &[],
        },
        Personality {
            name: "lower-case", about: "writes its OUI in lower case", plays: &["Q35"],
            wire: &[LowerCaseOui], habits: &[],
        },
        Personality {
            name: "words", about: "takes true and false, not 1 and 0", plays: &["Q11"],
            wire: &[], habits: &[WantsWords],
        },
        Personality {
            name: "bare", about: "drops messages that begin with an XML declaration", plays: &["Q55"],
            wire: &[], habits: &[HatesDeclaration],
        },
        Personality {
            name: "declared", about: "drops messages without an XML declaration", plays: &["Q28"],
            wire: &[], habits: &[NeedsDeclaration],
        },
        Personality {
            name: "rootless", about: "cannot list its root", plays: &["Q29"],
            wire: &[], habits: &[NoRootNames],
        },
        Personality {
            name: "one-level", about: "lists nothing when all levels are asked for", plays: &["Q30"],
            wire: &[], habits: &[EmptyNamesInOne],
        },
        Personality {
            name: "overwhelmed", about: "reads 7 values and writes 3 at a time, and cannot list all names", plays: &["Q30", "Q41"],
            wire: &[], habits: &[NamesExceed, ReadsAtMost(7), WritesAtMost(3)],
        },
        Personality {
            name: "choking", about: "hangs up when more than 20 values are asked for", plays: &["Q30", "Q41"],
            wire: &[], habits: &[ChokesOnReads(20)],
        },
        Personality {
            name: "dotless", about: "lists objects without their dot, and the object itself", plays: &["E"],
            wire: &[], habits: &[NoTrailingDots, ListsItself],
        },
        Personality {
            name: "discreet", about: "leaves out what it does not have", plays: &["Q32"],
            wire: &[], habits: &[OmitsUnknown],
        },
        Personality {
            name: "modest", about: "says that nothing can be written, and takes it all the same", plays: &["Q31"],
            wire: &[], habits: &[SaysReadOnly],
        },
        Personality {
            name: "vague", about: "never says which parameter it refuses", plays: &["Q42"],
            wire: &[], habits: &[NamesNoParameter],
        },
        Personality {
            name: "trailing", about: "has blanks at the end of every string, and shows secrets as asterisks", plays: &["Q48", "Q54"],
            wire: &[], habits: &[TrailingBlanks, MasksSecrets],
        },
        Personality {
            name: "silent-upgrade", about: "upgrades and never says TransferComplete", plays: &["Q37"],
            wire: &[], habits: &[NoTransferComplete],
        },
        Personality {
            name: "keyless", about: "forgets the CommandKey", plays: &["Q38"],
            wire: &[], habits: &[KeylessTransferComplete],
        },
        Personality {
            name: "braggart", about: "reports transfers that nobody asked for", plays: &["C4"],
            wire: &[], habits: &[StrayTransferComplete],
        },
        Personality {
            name: "mute", about: "answers methods that it does not know by an empty POST", plays: &["Q56"],
            wire: &[], habits: &[SilentOnUnknown, NoNames],
        },
        Personality {
            name: "yes-man", about: "says yes and does nothing", plays: &["C1"],
            wire: &[], habits: &[YesMan],
        },
        Personality {
            name: "endless", about: "has a tree without end", plays: &["C2"],
            wire: &[], habits: &[NamesExceed, EndlessTree],
        },
        Personality {
            name: "row-zero", about: "makes rows with the number 0", plays: &["C3"],
            wire: &[], habits: &[RowZero],
        },
        Personality {
            name: "same-row", about: "makes rows that are there already", plays: &["C3"],
            wire: &[], habits: &[SameRow],
        },
        Personality {
            name: "secretive", about: "completes diagnostics and never says so", plays: &["E"],
            wire: &[], habits: &[SilentDiagnostics],
        },
        Personality {
            name: "brooding", about: "never completes a diagnostic", plays: &["E"],
            wire: &[], habits: &[EndlessDiagnostics],
        },
        Personality {
            name: "unwilling", about: "cancels every diagnostic", plays: &["E"],
            wire: &[], habits: &[CancelsDiagnostics],
        },
        Personality {
            name: "far-away", about: "tells thousands of hops of a trace route", plays: &["C11"],
            wire: &[], habits: &[EndlessHops],
        },
        Personality {
            name: "slow", about: "takes twenty seconds for each answer", plays: &["Q47"],
            wire: &[], habits: &[Slow(20)],
        },
        Personality {
            name: "vanishing", about: "hangs up after its first answer, once", plays: &["B12"],
            wire: &[], habits: &[VanishesAfter(1)],
        },
        Personality {
            name: "forgetful", about: "does what its second request wants, once, without an answer", plays: &["B12"],
            wire: &[], habits: &[LosesAnswerAfter(1)],
        },
    ]
};

impl Personality {
    /// The personality of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        std::iter::once(&REFERENCE).chain(PERSONALITIES).find(|one| one.name == name)
    }

    /// The namespace that it speaks and wants to be spoken to.
    pub(super) fn namespace(&self) -> Namespace {
        self.wire
            .iter()
            .find_map(|habit| match habit {
                WireHabit::Namespace(uri) => Namespace::parse(uri),
                _ => None,
            })
            .unwrap_or_else(Namespace::v1_2)
    }

    /// The `cwmp:ID` that an answer must have, given the one that was meant.
    pub(super) fn expected_id<'a>(&self, meant: &'a str) -> Option<&'a str> {
        if self.writes(WireHabit::NoMessageId) {
            None
        } else if self.writes(WireHabit::EmptyMessageId) {
            Some("")
        } else {
            Some(meant)
        }
    }

    /// A TransferComplete as it is really sent.
    pub(super) fn report(&self, mut honest: TransferComplete) -> TransferComplete {
        if self.does(Habit::KeylessTransferComplete) {
            honest.command_key = "".into();
        }
        honest
    }

    /// How long it takes for each answer.
    pub fn delay(&self) -> std::time::Duration {
        let seconds = self.habits.iter().find_map(|habit| match habit {
            Habit::Slow(seconds) => Some(*seconds),
            _ => None,
        });
        std::time::Duration::from_secs(seconds.unwrap_or_default().into())
    }

    pub(super) fn does(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    pub(super) fn writes(&self, habit: WireHabit) -> bool {
        self.wire.contains(&habit)
    }
}
