//! The rows that an intent could be about, and which of them it means.

use super::known::{Found, Known, Paths, Presence};
use super::ways::{Choose, Condition, Evidence, Reading, Way};
use super::words::BANDS;

/// The rows of a way that belong together: an access point, its network, its
/// radio.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'w> {
    rows: Vec<(&'w str, Found<String>)>,
}

/// A candidate with the fields that tell it from the others.
#[derive(Clone, Debug)]
pub(super) struct Item<'w> {
    /// `band` and `network`, `connection`, `line` or `user`.
    pub(super) which: Vec<(&'static str, String)>,
    /// Its number among those that the fields before the last tell apart.
    ordinal: usize,
    /// Whether it is what is meant if nobody says.
    usual: bool,
    pub(super) candidate: Candidate<'w>,
}

/// All candidates of a way.
#[derive(Clone, Debug)]
pub(super) struct Items<'w> {
    pub(super) items: Vec<Item<'w>>,
    /// What must be read before all are told apart.
    pub(super) unknown: Paths,
    /// Rows that cannot be told apart although all was read.
    nameless: usize,
}

/// Which candidates an intent means.
#[derive(Clone, Debug)]
pub(super) enum Chosen<'i, 'w> {
    /// These.
    These(Vec<&'i Item<'w>>),
    /// None, and why.
    None(String),
    /// These are to be read first.
    Unknown(Paths),
    /// One of several: the field that says which, and what it may be.
    Unclear(&'static str, Vec<String>),
}

impl<'w> Candidate<'w> {
    /// The path that a template stands for: below the root, or below a row.
    pub(super) fn path(&self, template: &str, known: &Known<'_>) -> Found<String> {
        let Some(inside) = template.strip_prefix('{') else {
            return Found::Yes(format!("{}{template}", known.root));
        };
        let (name, rest) = inside.split_once('}').unwrap_or((inside, ""));
        match self.rows.iter().find(|(row, _)| *row == name) {
            Some((_, Found::Yes(row))) => Found::Yes(format!("{row}{rest}")),
            Some((_, Found::No(why))) => Found::No(why.clone()),
            Some((_, Found::Unknown(paths))) => Found::Unknown(paths.clone()),
            None => Found::No(format!("there is no row {name}")),
        }
    }

    /// The text of the parameter that a template stands for.
    pub(super) fn text<'a>(&self, template: &str, known: &Known<'a>) -> Found<&'a str> {
        match self.path(template, known) {
            Found::Yes(path) => known.text(&path),
            Found::No(why) => Found::No(why),
            Found::Unknown(paths) => Found::Unknown(paths),
        }
    }

    fn is(&self, condition: &Condition, known: &Known<'_>) -> bool {
        let Found::Yes(text) = self.text(&condition.path, known) else { return false };
        condition.is.iter().any(|one| one.eq_ignore_ascii_case(text))
    }
}

/// The candidates of a way.
pub(super) fn items<'w>(way: &'w Way, known: &Known<'_>) -> Found<Items<'w>> {
    let Some((first, others)) = way.row.split_first() else {
        let candidate = Candidate { rows: Vec::new() };
        let item = Item { which: Vec::new(), ordinal: 1, usual: true, candidate };
        return Found::Yes(Items { items: vec![item], unknown: Paths::new(), nameless: 0 });
    };
    let rows = match known.rows(&first.table) {
        Found::Yes(rows) => rows,
        Found::No(why) => return Found::No(why),
        Found::Unknown(paths) => return Found::Unknown(paths),
    };
    let bound = rows.into_iter().map(|row| {
        let mut candidate = Candidate { rows: vec![(first.name.as_str(), Found::Yes(row))] };
        for rule in others {
            let row = if rule.around.is_empty() {
                match candidate.path(&rule.follow, known) {
                    Found::Yes(parameter) => known.follow(&parameter, &rule.into),
                    other => other,
                }
            } else {
                around(&candidate, &rule.around)
            };
            candidate.rows.push((rule.name.as_str(), row));
        }
        candidate
    });
    Found::Yes(sorted(&way.choose, bound.collect(), known))
}

/// The row around another one: `A.1.` around `A.1.B.2.`.
fn around(candidate: &Candidate<'_>, name: &str) -> Found<String> {
    let none = || Found::No(format!("there is no row around {name}"));
    let Some((_, Found::Yes(row))) = candidate.rows.iter().find(|(row, _)| *row == name) else {
        return none();
    };
    let table = row.trim_end_matches('.').rsplit_once('.').map(|(table, _)| table);
    match table.and_then(|table| table.rsplit_once('.')) {
        Some((row, _)) => Found::Yes(format!("{row}.")),
        None => none(),
    }
}

/// Gives each candidate what tells it from the others.
fn sorted<'w>(choose: &Choose, all: Vec<Candidate<'w>>, known: &Known<'_>) -> Items<'w> {
    let mut sorted = Items { items: Vec::new(), unknown: Paths::new(), nameless: 0 };
    match choose {
        Choose::None | Choose::Number { .. } | Choose::One { .. } => {
            let prefer = if let Choose::One { prefer, .. } = choose { &**prefer } else { &[] };
            let number = number_field(choose);
            let mut usual: Vec<bool> = vec![true; all.len()];
            for condition in prefer {
                let agree: Vec<bool> = all.iter().map(|one| one.is(condition, known)).collect();
                let narrowed: Vec<bool> =
                    usual.iter().zip(&agree).map(|(usual, agree)| *usual && *agree).collect();
                if narrowed.contains(&true) {
                    usual = narrowed;
                }
            }
            if matches!(choose, Choose::Number { .. }) {
                usual.iter_mut().skip(1).for_each(|usual| *usual = false);
            }
            for (position, (candidate, usual)) in all.into_iter().zip(usual).enumerate() {
                let ordinal = position + 1;
                let which = vec![(number, ordinal.to_string())];
                sorted.items.push(Item { which, ordinal, usual, candidate });
            }
        }
        Choose::Named { path, usual, .. } => {
            for (position, candidate) in all.into_iter().enumerate() {
                match candidate.text(path, known) {
                    Found::Yes("") | Found::No(_) => sorted.nameless += 1,
                    Found::Unknown(paths) => sorted.unknown.extend(paths),
                    Found::Yes(name) => {
                        let which = vec![("user", name.to_owned())];
                        let usual = usual.iter().any(|one| one == name);
                        sorted.items.push(Item { which, ordinal: position + 1, usual, candidate });
                    }
                }
            }
        }
        Choose::Bands { evidence, guest } => bands(evidence, guest, all, known, &mut sorted),
    }
    sorted
}

fn number_field(choose: &Choose) -> &'static str {
    let name = match choose {
        Choose::One { number, .. } | Choose::Number { number } => number.as_str(),
        Choose::None | Choose::Named { .. } | Choose::Bands { .. } => "",
    };
    ["connection", "line"].into_iter().find(|field| *field == name).unwrap_or("")
}

fn bands<'w>(
    evidence: &[Evidence],
    guest: &[Evidence],
    all: Vec<Candidate<'w>>,
    known: &Known<'_>,
    sorted: &mut Items<'w>,
) {
    for candidate in all {
        let band = match told(evidence, &candidate, known) {
            Found::Yes(band) => band,
            Found::No(_) => {
                sorted.nameless += 1;
                continue;
            }
            Found::Unknown(paths) => {
                sorted.unknown.extend(paths);
                continue;
            }
        };
        let is_guest = matches!(told(guest, &candidate, known), Found::Yes(_));
        let of_band = |item: &&Item<'_>| item.which.first().is_some_and(|(_, one)| *one == band);
        let has = |word: &str| {
            let mut of_band = sorted.items.iter().filter(of_band);
            of_band.any(|item| item.which.get(1).is_some_and(|(_, one)| one == word))
        };
        let ordinal = sorted.items.iter().filter(of_band).count() + 1;
        let word = if is_guest { "guest" } else { "main" };
        let network = if has(word) { ordinal.to_string() } else { word.to_owned() };
        let usual = network == "main";
        let which = vec![("band", band), ("network", network)];
        sorted.items.push(Item { which, ordinal, usual, candidate });
    }
    // In order of bands; of one band in order of the rows.
    let place = |item: &Item<'_>| {
        let band = item.which.first().map(|(_, band)| band.as_str());
        BANDS.iter().position(|one| Some(*one) == band)
    };
    sorted.items.sort_by_key(place);
}

/// What the first parameter that tells anything tells.
fn told(evidence: &[Evidence], candidate: &Candidate<'_>, known: &Known<'_>) -> Found<String> {
    let mut unknown = Paths::new();
    for one in evidence {
        match candidate.text(&one.path, known) {
            Found::Yes(text) => {
                if let Some(told) = reads(one, text) {
                    return Found::Yes(told);
                }
            }
            Found::No(_) => {}
            Found::Unknown(paths) => unknown.extend(paths),
        }
    }
    if unknown.is_empty() {
        Found::No("nothing tells it".to_owned())
    } else {
        Found::Unknown(unknown)
    }
}

fn reads(evidence: &Evidence, text: &str) -> Option<String> {
    match evidence.read {
        Reading::Words => {
            let word = evidence.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            word.map(|(_, stands_for)| stands_for.clone())
        }
        Reading::Channels => of_channels(text).map(str::to_owned),
        Reading::Standards => of_standards(text).map(str::to_owned),
        Reading::Contains => {
            text.to_ascii_lowercase().contains(&evidence.contains).then(|| "yes".to_owned())
        }
    }
}

/// The band of channels: `6`, `1-13`, `36,40,44`; none if they are of several,
/// or the radio chooses (`0`).
fn of_channels(text: &str) -> Option<&'static str> {
    let numbers =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut band = None;
    for number in numbers.take(256) {
        let this = match number.parse::<u32>().ok()? {
            1..=14 => BANDS[0],
            32..=177 => BANDS[1],
            _ => return None,
        };
        if band.is_some_and(|band| band != this) {
            return None;
        }
        band = Some(this);
    }
    band
}

/// The band of standards: those of which one knows a single band only.
fn of_standards(text: &str) -> Option<&'static str> {
    let standards = text.split([',', ' ', '/']).map(|one| one.trim().to_ascii_lowercase());
    let mut band = None;
    for standard in standards.take(32) {
        let this = match standard.strip_prefix("802.11").unwrap_or(&standard) {
            "b" | "g" | "g-only" | "bg" | "bgn" => BANDS[0],
            "a" | "ac" | "an" => BANDS[1],
            _ => continue,
        };
        if band.is_some_and(|band| band != this) {
            return None;
        }
        band = Some(this);
    }
    band
}

impl<'w> Items<'w> {
    /// Those that the fields of an intent mean.
    pub(super) fn choose<'i>(
        &'i self,
        choose: &Choose,
        get: impl Fn(&str) -> Option<&'i str>,
    ) -> Chosen<'i, 'w> {
        match choose {
            Choose::None => Chosen::These(self.items.iter().collect()),
            Choose::Number { .. } | Choose::One { .. } => {
                let number = number_field(choose);
                self.by_number(number, get(number))
            }
            Choose::Named { .. } => self.by_name(get("user")),
            Choose::Bands { .. } => self.by_band(get("band"), get("network").unwrap_or("main")),
        }
    }

    fn by_number<'i>(&'i self, field: &'static str, number: Option<&str>) -> Chosen<'i, 'w> {
        let all = self.items.len();
        if let Some(number) = number {
            let item = self.items.iter().find(|item| item.ordinal.to_string() == number);
            return match item {
                Some(item) => Chosen::These(vec![item]),
                None => Chosen::None(format!("there is no {field} {number}: there are {all}")),
            };
        }
        let usual: Vec<&Item<'_>> = self.items.iter().filter(|item| item.usual).collect();
        if usual.len() == 1 {
            return Chosen::These(usual);
        }
        Chosen::Unclear(field, (1..=all).map(|number| number.to_string()).collect())
    }

    fn by_name<'i>(&'i self, name: Option<&str>) -> Chosen<'i, 'w> {
        let named = |item: &&Item<'_>| item.which.first().map(|(_, name)| name.as_str()) == name;
        if let Some(name) = name {
            if let Some(item) = self.items.iter().find(named) {
                return Chosen::These(vec![item]);
            }
            return if self.unknown.is_empty() {
                Chosen::None(format!("there is no user {name}"))
            } else {
                Chosen::Unknown(self.unknown.clone())
            };
        }
        if !self.unknown.is_empty() {
            return Chosen::Unknown(self.unknown.clone());
        }
        let usual = self.items.iter().find(|item| item.usual);
        match (usual, &*self.items) {
            (Some(item), _) | (None, [item]) => Chosen::These(vec![item]),
            (None, []) => Chosen::None("no user has a name".to_owned()),
            (None, items) => {
                let names = items.iter().filter_map(|item| item.which.first());
                Chosen::Unclear("user", names.map(|(_, name)| name.clone()).collect())
            }
        }
    }

    fn by_band<'i>(&'i self, band: Option<&str>, network: &str) -> Chosen<'i, 'w> {
        // A network whose band is still to be read may be the one that is meant.
        if !self.unknown.is_empty() {
            return Chosen::Unknown(self.unknown.clone());
        }
        let band = band.filter(|band| *band != "all");
        let is_of_band = |item: &&Item<'_>| {
            band.is_none() || item.which.first().map(|(_, one)| one.as_str()) == band
        };
        let is_meant = |item: &&Item<'_>| {
            item.ordinal.to_string() == network
                || item.which.get(1).is_some_and(|(_, word)| word == network)
        };
        let of_band: Vec<&Item<'_>> = self.items.iter().filter(is_of_band).collect();
        let meant: Vec<&Item<'_>> = of_band.iter().copied().filter(is_meant).collect();
        if !meant.is_empty() {
            return Chosen::These(meant);
        }
        let bands = band.map_or_else(|| "any band".to_owned(), str::to_owned);
        let nameless = match self.nameless {
            0 => String::new(),
            some => format!("; of {some} networks the device does not tell the band"),
        };
        Chosen::None(match (&*of_band, network) {
            ([], _) => format!("there is no network of {bands}{nameless}"),
            (_, "guest") => format!(
                "no network of {bands} is called one for guests; say which by its number, from 1 \
                 to {}",
                of_band.len()
            ),
            _ => format!("there is no network {network} of {bands}: there are {}", of_band.len()),
        })
    }
}

/// Whether an object or parameter that a way needs is there.
pub(super) fn has(path: &str, known: &Known<'_>) -> Found<()> {
    let full = format!("{}{path}", known.root);
    match known.presence(&full) {
        Presence::There(_) => Found::Yes(()),
        Presence::Lacking => Found::No(format!("there is no {full}")),
        Presence::Unknown => Found::Unknown(known.ask(&full)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_tell_a_band_only_if_all_are_of_one() {
        for (text, band) in [
            ("6", Some("2.4GHz")),
            ("1-13", Some("2.4GHz")),
            ("36,40,44-64,100-140", Some("5GHz")),
            ("1,36", None),
            ("0", None),
            ("", None),
            ("auto", None),
            ("99999999999", None),
        ] {
            assert_eq!(of_channels(text), band, "{text}");
        }
    }

    #[test]
    fn standards_tell_a_band_only_if_they_know_no_other() {
        for (text, band) in [
            ("b,g,n", Some("2.4GHz")),
            ("a,n,ac", Some("5GHz")),
            ("802.11ac", Some("5GHz")),
            ("n", None),
            ("ax", None),
            ("a,b,g", None),
        ] {
            assert_eq!(of_standards(text), band, "{text}");
        }
    }
}
