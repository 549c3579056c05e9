//! Names with `*` for devices that do not know it: spelled out from the tree,
//! after the rows of tables that it does not show were asked for.

use std::collections::HashSet;

use crate::cwmp::{AcsRequest, CpeResponse, GetParameterNames};
use crate::param::{ParamPath, Tree};
use crate::plan::context::{Answer, Context};

/// The most names that wildcards are spelled out to.
const MAX_NAMES: usize = 5000;

/// The most tables whose rows are asked for.
const MAX_TABLES: usize = 100;

/// The most rows that are taken from one answer.
const MAX_ROWS: usize = 5000;

/// Whether the device says that it knows wildcards itself
/// (`ManagementServer.InstanceWildcardsSupported`, Amendment 6).
pub(super) fn are_known(root: &str, tree: &Tree) -> bool {
    let name = format!("{root}ManagementServer.InstanceWildcardsSupported");
    tree.value(&name).and_then(crate::param::Value::as_bool) == Some(true)
}

/// Names with wildcards that are being spelled out.
#[derive(Debug)]
pub(super) struct Expansion {
    names: Vec<ParamPath>,
    /// Tables whose rows were asked for; each once.
    asked: HashSet<String>,
    asking: Option<ParamPath>,
}

impl Expansion {
    pub(super) fn new(names: Vec<ParamPath>) -> Self {
        Self { names, asked: HashSet::new(), asking: None }
    }

    /// The next question for rows; `None` when all that can be known is known.
    pub(super) fn next(&mut self, context: &Context<'_>) -> Option<AcsRequest> {
        if self.asked.len() >= MAX_TABLES {
            return None;
        }
        let unknown = self.names.iter().find_map(|name| {
            let mut unknown = None;
            let _ = spell(name, context.tree, &mut |table| {
                if unknown.is_none() && !self.asked.contains(table) {
                    unknown = ParamPath::parse(table).ok();
                }
            });
            unknown
        })?;
        self.asked.insert(unknown.as_str().to_owned());
        self.asking = Some(unknown.clone());
        let names = GetParameterNames { path: Some(unknown), next_level: true };
        Some(AcsRequest::GetParameterNames(names))
    }

    /// The rows of a table. A fault means that there are none.
    pub(super) fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        let (Some(table), Ok(CpeResponse::GetParameterNames(infos))) = (self.asking.take(), answer)
        else {
            return;
        };
        let rows = infos
            .iter()
            .filter(|info| info.name.as_str().starts_with(table.as_str()) && info.name.is_object());
        for info in rows.take(MAX_ROWS) {
            context.tree.learn_name(&info.name, info.writable, context.now);
        }
    }

    /// The names spelled out, each once, and whether some were left out.
    pub(super) fn names(&self, tree: &Tree) -> (Vec<ParamPath>, bool) {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        let mut cut = false;
        for name in &self.names {
            for name in spell(name, tree, &mut |_| {}) {
                if names.len() >= MAX_NAMES {
                    cut = true;
                } else if seen.insert(name.clone()) {
                    names.push(name);
                }
            }
        }
        (names, cut)
    }
}

/// A name with each `*` replaced by every row that the tree shows. Tables of
/// which it shows none are told to `unknown`.
fn spell(name: &ParamPath, tree: &Tree, unknown: &mut dyn FnMut(&str)) -> Vec<ParamPath> {
    let mut parts = name.as_str().split('*');
    let mut heads: Vec<String> = vec![parts.next().unwrap_or_default().to_owned()];
    for part in parts {
        let mut longer = Vec::new();
        for table in heads {
            let rows = tree.rows(&table);
            if rows.is_empty() {
                unknown(&table);
            }
            let room = MAX_NAMES.saturating_sub(longer.len());
            longer.extend(rows.iter().take(room).map(|row| format!("{table}{row}{part}")));
        }
        heads = longer;
    }
    // A parameter that the tree knows not to be in a row is asked all the same:
    // the reader finds out which rows have it.
    heads.iter().filter_map(|head| ParamPath::parse(head).ok()).collect()
}
