//! Rows by alias and by wildcard, as a simulated device knows them (TR-069
//! §3.6.1): requests are put into numbers, answers into what `InstanceMode`
//! wants.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::cpe::Cpe;
use super::model::Model;
use crate::cwmp::{AcsRequest, CpeResponse};
use crate::param::ParamPath;

impl Cpe {
    /// A request with rows by number, as the model has them. Rows that are to be
    /// made by SetParameterValues are made here.
    pub(super) fn in_numbers(&mut self, mut request: AcsRequest) -> AcsRequest {
        if !self.blueprint.has_aliases() {
            return request;
        }
        let creates = self.own("ManagementServer.AutoCreateInstances") == "1";
        let model = &mut self.model;
        match &mut request {
            AcsRequest::GetParameterValues(asked) => {
                let names = asked.names.iter().map(|name| by_number(model, name));
                let names: Vec<ParamPath> = names.collect();
                asked.names = names.iter().flat_map(|name| spelled_out(model, name)).collect();
            }
            AcsRequest::GetParameterNames(asked) => {
                asked.path = asked.path.as_ref().map(|path| by_number(model, path));
            }
            AcsRequest::SetParameterValues(asked) => {
                for value in &mut asked.values {
                    if creates {
                        create(model, &value.name);
                    }
                    value.name = by_number(model, &value.name);
                }
            }
            AcsRequest::AddObject(asked) => {
                asked.table = match asked.table.split_alias() {
                    // The alias goes to the row when it is made.
                    Some((table, _)) => by_number(model, &table),
                    None => by_number(model, &asked.table),
                };
            }
            AcsRequest::DeleteObject(asked) => asked.instance = by_number(model, &asked.instance),
            _ => {}
        }
        request
    }

    /// An answer with rows as `InstanceMode` wants them.
    pub(super) fn in_its_mode(&self, mut answer: CpeResponse) -> CpeResponse {
        if self.own("ManagementServer.InstanceMode") != "InstanceAlias" {
            return answer;
        }
        match &mut answer {
            CpeResponse::GetParameterValues(values) => {
                for value in values {
                    value.name = by_alias(&self.model, &value.name);
                }
            }
            CpeResponse::GetParameterNames(infos) => {
                for info in infos {
                    info.name = by_alias(&self.model, &info.name);
                }
            }
            _ => {}
        }
        answer
    }
}

/// The alias of a row: what was set, else one of the device's own.
fn alias(model: &Model, row: &str, number: &str) -> String {
    let set = model.text(&format!("{row}.Alias"));
    if set.is_empty() { format!("cpe-{number}") } else { set.to_owned() }
}

/// The numbers of the rows of a table.
fn rows(model: &Model, table: &str) -> Vec<String> {
    let names = ParamPath::parse(table).ok().and_then(|path| model.names(Some(&path), true).ok());
    let segments = names.into_iter().flatten().filter(|info| info.name.is_object());
    segments.map(|info| info.name.leaf().to_owned()).collect()
}

fn by_number(model: &Model, path: &ParamPath) -> ParamPath {
    let mut out = String::new();
    for (position, segment) in path.as_str().split('.').enumerate() {
        if position > 0 {
            out.push('.');
        }
        let wanted = segment.strip_prefix('[').and_then(|alias| alias.strip_suffix(']'));
        let number = wanted.and_then(|wanted| {
            let mut rows = rows(model, &out).into_iter();
            rows.find(|row| alias(model, &format!("{out}{row}"), row) == wanted)
        });
        out.push_str(number.as_deref().unwrap_or(segment));
    }
    ParamPath::parse(&out).unwrap_or_else(|_| path.clone())
}

fn by_alias(model: &Model, path: &ParamPath) -> ParamPath {
    let (mut numbers, mut out) = (String::new(), String::new());
    for (position, segment) in path.as_str().split('.').enumerate() {
        if position > 0 {
            numbers.push('.');
            out.push('.');
        }
        numbers.push_str(segment);
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&format!("[{}]", alias(model, &numbers, segment)));
        } else {
            out.push_str(segment);
        }
    }
    ParamPath::parse(&out).unwrap_or_else(|_| path.clone())
}

/// AutoCreateInstances: the row that a path names by alias is made if nobody has
/// the alias.
fn create(model: &mut Model, path: &ParamPath) {
    let numbered = by_number(model, path);
    let Some((table, rest)) = numbered.as_str().split_once('[') else { return };
    let Some((wanted, _)) = rest.split_once(']') else { return };
    if let Ok(table) = ParamPath::parse(table)
        && let Ok(number) = model.add_object(&table)
    {
        model.change(&format!("{table}{number}.Alias"), wanted);
    }
}

/// A name with wildcards as all names that it stands for.
fn spelled_out(model: &Model, name: &ParamPath) -> Vec<ParamPath> {
    let mut parts = name.as_str().split('*');
    let mut heads = vec![parts.next().unwrap_or_default().to_owned()];
    for part in parts {
        heads = heads
            .iter()
            .flat_map(|table| {
                rows(model, table).into_iter().map(move |row| format!("{table}{row}{part}"))
            })
            .collect();
    }
    heads.iter().filter_map(|head| ParamPath::parse(head).ok()).collect()
}
