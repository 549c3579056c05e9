//! From which index a search is best answered. Pure: which sets of devices there
//! are to choose from follows from the filter; how large they are, the store says.
//!
//! Every set holds at least the devices that are meant: each of it is looked at
//! before it is told.

use std::ops::Bound;

use super::{Field, Filter, Test, Value};
use crate::access::Reach;
use crate::device::DeviceId;
use crate::phone::Mac;
use crate::store::TermSpan;
use crate::term::{Index, Term, fold};
use crate::time::Timestamp;

/// A set of devices that an index gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// The device of this id.
    Id(DeviceId),
    /// Those that have a term: they come in the order of ids.
    Term(Term),
    /// Those with an entry in a part of an index.
    Span(Index, TermSpan),
    /// Those that last informed between two times.
    Informed(Bound<Timestamp>, Bound<Timestamp>),
}

/// Sets of devices, of which a search has to look at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// A set; how large it is, once it is known.
    Leaf(Leaf, usize),
    /// All of these together.
    Union(Vec<Self>),
    /// Any one of these alone: all devices that are meant are in each.
    Any(Vec<Self>),
}

/// What a search looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The devices of all of these together.
    pub(super) leaves: Vec<Leaf>,
    /// How many they are at most, if they were all counted.
    pub(super) size: usize,
    /// Terms that each must have besides: asked before its record is read.
    pub(super) checks: Vec<Term>,
}

/// How many terms are asked besides, at most.
const MOST_CHECKS: usize = 4;

impl Plan {
    /// The sets to choose from; `None` if no index helps.
    pub(super) fn of(filter: &Filter, reach: &Reach) -> Option<Self> {
        let mut sets: Vec<Self> = of_filter(filter).into_iter().collect();
        sets.extend(of_reach(reach));
        any(sets)
    }

    /// All sets, to be told how large they are.
    pub(super) fn leaves_mut(&mut self) -> Vec<(&Leaf, &mut usize)> {
        match self {
            Self::Leaf(leaf, size) => vec![(&*leaf, size)],
            Self::Union(plans) | Self::Any(plans) => {
                plans.iter_mut().flat_map(Self::leaves_mut).collect()
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Leaf(_, size) => *size,
            Self::Union(plans) => {
                plans.iter().fold(0, |sum: usize, plan| sum.saturating_add(plan.size()))
            }
            Self::Any(plans) => plans.iter().map(Self::size).min().unwrap_or(0),
        }
    }

    /// The smallest.
    pub(super) fn choose(&self) -> Choice {
        let mut choice = Choice { leaves: Vec::new(), size: self.size(), checks: Vec::new() };
        self.take(&mut choice.leaves);
        if let Self::Any(plans) = self {
            let terms = plans.iter().filter_map(|plan| match plan {
                Self::Leaf(Leaf::Term(term), _) => Some(term),
                _ => None,
            });
            let is_asked = |term: &&Term| match choice.leaves.as_slice() {
                [Leaf::Term(chosen)] => chosen != *term,
                _ => true,
            };
            choice.checks = terms.filter(is_asked).take(MOST_CHECKS).cloned().collect();
        }
        choice
    }

    fn take(&self, leaves: &mut Vec<Leaf>) {
        match self {
            Self::Leaf(leaf, _) => leaves.push(leaf.clone()),
            Self::Union(plans) => plans.iter().for_each(|plan| plan.take(leaves)),
            Self::Any(plans) => {
                if let Some(best) = plans.iter().min_by_key(|plan| plan.size()) {
                    best.take(leaves);
                }
            }
        }
    }
}

/// One of several; none if there is none.
fn any(mut sets: Vec<Plan>) -> Option<Plan> {
    match sets.len() {
        0 | 1 => sets.pop(),
        _ => {
            // What stands in an inner `And` is as good as what stands beside it.
            let flat = sets.into_iter().flat_map(|set| match set {
                Plan::Any(inner) => inner,
                set => vec![set],
            });
            Some(Plan::Any(flat.collect()))
        }
    }
}

const fn leaf(leaf: Leaf) -> Plan {
    Plan::Leaf(leaf, 0)
}

fn term(term: Term) -> Plan {
    leaf(Leaf::Term(term))
}

/// No device at all.
const NOTHING: Plan = Plan::Union(Vec::new());

fn of_filter(filter: &Filter) -> Option<Plan> {
    match filter {
        Filter::All | Filter::Not(_) => None,
        Filter::And(parts) => any(parts.iter().filter_map(of_filter).collect()),
        Filter::Or(parts) => {
            parts.iter().map(of_filter).collect::<Option<Vec<Plan>>>().map(Plan::Union)
        }
        Filter::Is(field, test) => of_test(field, test),
        Filter::Rule(rule) => {
            let pinned = rule.pinned();
            let oui = pinned.oui.map(|oui| term(Term::new(Index::Oui, oui)));
            let model = pinned.product_class.map(|class| term(Term::new(Index::Model, class)));
            any(oui.into_iter().chain(model).collect())
        }
    }
}

fn of_reach(reach: &Reach) -> Vec<Plan> {
    let named = |index, name: &str| (!name.is_empty()).then(|| term(Term::new(index, name)));
    let mut sets = Vec::new();
    sets.extend(reach.tenant.as_deref().and_then(|tenant| named(Index::Tenant, tenant)));
    if !reach.sites.is_empty() {
        let sites = reach.sites.iter().map(|site| named(Index::Site, site));
        let mut sites: Option<Vec<Plan>> = sites.collect();
        sets.extend(match sites.as_mut().map(|sites| (sites.len(), sites)) {
            Some((1, sites)) => sites.pop(),
            Some((_, sites)) => Some(Plan::Union(std::mem::take(sites))),
            None => None,
        });
    }
    sets
}

fn of_test(field: &Field, test: &Test) -> Option<Plan> {
    match test {
        Test::Equals(Value::Text(text)) if *field != Field::LastInform => of_equal(field, text),
        Test::In(values) => {
            let texts = values.iter().map(|value| match value {
                Value::Text(text) => of_equal(field, text),
                _ => None,
            });
            texts.collect::<Option<Vec<Plan>>>().map(Plan::Union)
        }
        Test::Begins(text) => of_beginning(field, text),
        Test::Equals(value) => of_span(field, Bound::Included(value), Bound::Included(value)),
        Test::Less(value) => of_span(field, Bound::Unbounded, Bound::Excluded(value)),
        Test::AtMost(value) => of_span(field, Bound::Unbounded, Bound::Included(value)),
        Test::Greater(value) => of_span(field, Bound::Excluded(value), Bound::Unbounded),
        Test::AtLeast(value) => of_span(field, Bound::Included(value), Bound::Unbounded),
        Test::Contains(_) | Test::Matches(_) | Test::Exists(_) => None,
    }
}

/// The indexes that hold a field's texts as they are compared.
fn indexes_of(field: &Field) -> &'static [Index] {
    match field {
        Field::SerialNumber => &[Index::Serial],
        Field::Oui => &[Index::Oui],
        Field::Manufacturer => &[Index::Manufacturer],
        Field::ProductClass => &[Index::Model],
        Field::SoftwareVersion => &[Index::Version],
        Field::Tag => &[Index::Tag],
        Field::Tenant => &[Index::Tenant],
        Field::Site => &[Index::Site],
        Field::Subscriber(_) => &[Index::Subscriber],
        Field::Login => &[Index::TreeLogin, Index::Subscriber],
        _ => &[],
    }
}

/// The union of sets, or the only one.
fn union(mut sets: Vec<Plan>) -> Option<Plan> {
    if sets.len() > 1 { Some(Plan::Union(sets)) } else { sets.pop() }
}

fn of_equal(field: &Field, text: &str) -> Option<Plan> {
    match field {
        Field::Id => Some(DeviceId::parse(text).map_or(NOTHING, |id| leaf(Leaf::Id(id)))),
        Field::Mac => Some(text.trim().parse::<Mac>().map_or(NOTHING, |mac| {
            let of_mac = |index| term(Term::of_mac(index, mac));
            Plan::Union(vec![of_mac(Index::SerialMac), of_mac(Index::TreeMac)])
        })),
        Field::Address | Field::Ip => {
            let Ok(address) = text.trim().parse() else { return Some(NOTHING) };
            let of_address = |index| term(Term::of_address(index, address));
            Some(match field {
                Field::Address => of_address(Index::Address),
                _ => Plan::Union(vec![of_address(Index::Address), of_address(Index::TreeAddress)]),
            })
        }
        field => {
            let indexes = indexes_of(field);
            if text.is_empty() && !indexes.is_empty() {
                // An empty text is unknown, and fits nothing.
                return Some(NOTHING);
            }
            union(indexes.iter().map(|index| term(Term::new(*index, text))).collect())
        }
    }
}

fn of_beginning(field: &Field, text: &str) -> Option<Plan> {
    let (indexes, text): (&[Index], Box<[u8]>) = match field {
        Field::Mac => {
            let digits: String =
                text.chars().filter(|letter| !matches!(letter, ':' | '-' | '.' | ' ')).collect();
            (&[Index::SerialMac, Index::TreeMac], fold(&digits))
        }
        Field::Address => (&[Index::Address], fold(text)),
        Field::Ip => (&[Index::Address, Index::TreeAddress], fold(text)),
        field => (indexes_of(field), fold(text)),
    };
    if text.is_empty() {
        return None;
    }
    let spans =
        indexes.iter().map(|index| leaf(Leaf::Span(*index, TermSpan::Begins(text.clone()))));
    union(spans.collect())
}

fn of_span(field: &Field, from: Bound<&Value>, to: Bound<&Value>) -> Option<Plan> {
    if *field == Field::LastInform {
        let time = |bound: Bound<&Value>| match bound {
            Bound::Unbounded => Some(Bound::Unbounded),
            Bound::Included(value) => time_of(value).map(Bound::Included),
            Bound::Excluded(value) => time_of(value).map(Bound::Excluded),
        };
        return Some(leaf(Leaf::Informed(time(from)?, time(to)?)));
    }
    // Texts that are cut may be alike where the whole ones are not: the ends belong
    // to it.
    let text = |bound: Bound<&Value>| match bound {
        Bound::Unbounded => Some(Bound::Unbounded),
        Bound::Included(Value::Text(text)) | Bound::Excluded(Value::Text(text)) => {
            Some(Bound::Included(fold(text)))
        }
        _ => None,
    };
    let span = TermSpan::Between(text(from)?, text(to)?);
    let indexes = indexes_of(field).iter();
    union(indexes.map(|index| leaf(Leaf::Span(*index, span.clone()))).collect())
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Time(at) => Some(*at),
        Value::Text(text) => Timestamp::parse(text),
        Value::Number(_) | Value::Boolean(_) => None,
    }
}

/// The part of an index that a filter leaves of the field that orders.
pub(super) fn span_of(filter: &Filter, index: Index) -> TermSpan {
    match filter {
        Filter::And(parts) => {
            let spans = parts.iter().map(|part| span_of(part, index));
            spans.into_iter().find(|span| *span != TermSpan::All).unwrap_or(TermSpan::All)
        }
        filter => match of_filter(filter) {
            Some(Plan::Leaf(Leaf::Span(known, span), _)) if known == index => span,
            Some(Plan::Leaf(Leaf::Term(term), _)) if term.index == index => {
                TermSpan::Between(Bound::Included(term.value.clone()), Bound::Included(term.value))
            }
            _ => TermSpan::All,
        },
    }
}

/// The times between which a filter leaves the last Inform.
pub(super) fn times_of(filter: &Filter) -> (Bound<Timestamp>, Bound<Timestamp>) {
    let parts = match filter {
        Filter::And(parts) => parts.as_slice(),
        filter => std::slice::from_ref(filter),
    };
    let mut times = (Bound::Unbounded, Bound::Unbounded);
    for part in parts {
        if let Some(Plan::Leaf(Leaf::Informed(from, to), _)) = of_filter(part) {
            // Of two bounds either is right, since each device is looked at.
            if from != Bound::Unbounded {
                times.0 = from;
            }
            if to != Bound::Unbounded {
                times.1 = to;
            }
        }
    }
    times
}

/// The term whose entries are exactly the devices that are meant, if there is one:
/// then counting them is enough. Labels may be those of a device that has not come
/// yet, so that none of theirs is.
pub(super) fn exact_term(filter: &Filter) -> Option<Term> {
    let Filter::Is(field, Test::Equals(Value::Text(text))) = filter else { return None };
    let is_plain = matches!(
        field,
        Field::SerialNumber
            | Field::Oui
            | Field::Manufacturer
            | Field::ProductClass
            | Field::SoftwareVersion
            | Field::Address
    );
    match of_equal(field, text)? {
        Plan::Leaf(Leaf::Term(term), _) if is_plain && is_whole(text, &term) => Some(term),
        _ => None,
    }
}

/// Whether nothing else is folded to what a text is folded to.
fn is_whole(text: &str, term: &Term) -> bool {
    term.value.len() < crate::term::KEPT && !term.value.contains(&b' ') && !text.is_empty()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expr::Rule;

    fn equals(field: Field, text: &str) -> Filter {
        Filter::equals(field, text)
    }

    fn sized(plan: &mut Plan, size: impl Fn(&Leaf) -> usize) {
        for (leaf, known) in plan.leaves_mut() {
            *known = size(leaf);
        }
    }

    fn leaves(filter: &Filter, reach: &Reach) -> Option<(Vec<Leaf>, Vec<Term>)> {
        let mut plan = Plan::of(filter, reach)?;
        sized(&mut plan, |leaf| match leaf {
            Leaf::Term(term) if term.index == Index::Serial => 1,
            Leaf::Term(term) if term.index == Index::Tag => 50,
            _ => 1000,
        });
        let choice = plan.choose();
        Some((choice.leaves, choice.checks))
    }

    #[test]
    fn the_smallest_set_is_chosen_and_the_others_are_asked() {
        let filter = Filter::And(vec![
            equals(Field::ProductClass, "HG"),
            Filter::And(vec![equals(Field::Tag, "gold"), Filter::Not(Box::new(Filter::All))]),
        ]);
        let (chosen, checks) = leaves(&filter, &Reach::of_tenant("North")).unwrap();
        assert_eq!(chosen, [Leaf::Term(Term::new(Index::Tag, "gold"))]);
        let expected = [Term::new(Index::Model, "hg"), Term::new(Index::Tenant, "north")];
        assert_eq!(checks, expected);
    }

    #[test]
    fn unions_need_an_index_for_each_part() {
        let serial = |text: &str| equals(Field::SerialNumber, text);
        let both = Filter::Or(vec![serial("A"), equals(Field::Tag, "x")]);
        assert_eq!(leaves(&both, &Reach::WHOLE).unwrap().0.len(), 2);
        let open = Filter::Or(vec![serial("A"), equals(Field::HardwareVersion, "x")]);
        assert_eq!(Plan::of(&open, &Reach::WHOLE), None);
        let nobody = Filter::Or(vec![]);
        assert_eq!(leaves(&nobody, &Reach::WHOLE).unwrap().0, []);
        let none = equals(Field::Mac, "no address");
        assert_eq!(leaves(&none, &Reach::WHOLE).unwrap().0, []);
    }

    #[test]
    fn rules_are_pinned_and_reaches_are_sets() {
        let rule = Rule::parse("device.oui == \"00D09E\" && \"x\" in tags").unwrap();
        let filter = Filter::Rule(Arc::new(rule));
        let (chosen, _) = leaves(&filter, &Reach::WHOLE).unwrap();
        assert_eq!(chosen, [Leaf::Term(Term::new(Index::Oui, "00d09e"))]);
        let mut reach = Reach::WHOLE;
        reach.sites.insert("a".into());
        reach.sites.insert("b".into());
        assert_eq!(leaves(&Filter::All, &reach).unwrap().0.len(), 2);
        reach.sites.insert("".into());
        assert_eq!(Plan::of(&Filter::All, &reach), None);
        assert_eq!(Plan::of(&Filter::All, &Reach::of_tenant("")), None);
    }

    #[test]
    fn what_orders_is_narrowed_by_what_is_asked_of_it() {
        let begins = Filter::Is(Field::SerialNumber, Test::Begins("A".into()));
        let filter = Filter::And(vec![Filter::All, begins]);
        assert_eq!(span_of(&filter, Index::Serial), TermSpan::Begins(b"a".as_slice().into()));
        assert_eq!(span_of(&filter, Index::Model), TermSpan::All);
        let at = Timestamp::from_millis(5);
        let since = Filter::Is(Field::LastInform, Test::AtLeast(Value::Time(at)));
        assert_eq!(times_of(&since), (Bound::Included(at), Bound::Unbounded));
    }
}
