//! A profile as text: one form for one profile, so that texts can be compared.

use serde_json::{Map, Value, json};

use super::Drifting;
use super::definition::{AttributeForm, Layer, Profile, RowForm, TableForm, Wish};
use super::read::NOTIFICATIONS;
use crate::device::OtherRows;
use crate::expr::Template;

impl Profile {
    /// The profile as JSON, on one line; what is not said is left out.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The profile as TOML.
    pub fn to_toml(&self) -> String {
        // Only a null could fail, and there is none.
        toml::to_string_pretty(&self.to_value()).unwrap_or_default()
    }

    fn to_value(&self) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| {
            all.insert(name.to_owned(), value);
        };
        put("name", text(&self.name));
        put("enabled", self.enabled.into());
        if !self.description.is_empty() {
            put("description", text(&self.description));
        }
        if self.layer != Layer::Profile {
            put("layer", layer(&self.layer));
        }
        if self.priority != 0 {
            put("priority", self.priority.into());
        }
        if !self.rule.is_empty() {
            put("match", text(&self.rule));
        }
        if !self.parameters.is_empty() {
            let members = self.parameters.iter();
            put("parameters", members.map(|(path, it)| (path.to_string(), wish(it))).collect());
        }
        if !self.attributes.is_empty() {
            let members = self.attributes.iter();
            put(
                "attributes",
                members.map(|(path, it)| (path.to_string(), attribute(it))).collect(),
            );
        }
        if !self.tables.is_empty() {
            put("tables", self.tables.iter().map(table).collect());
        }
        if !self.refresh.is_empty() {
            let members = self.refresh.iter();
            put(
                "refresh",
                members.map(|(path, it)| (path.to_string(), Value::from(*it))).collect(),
            );
        }
        if let Some(firmware) = &self.firmware {
            let mut members = Map::new();
            members.insert("version".to_owned(), text(&firmware.version));
            if !firmware.file.is_empty() {
                members.insert("file".to_owned(), text(&firmware.file));
            }
            put("firmware", members.into());
        }
        if !self.tags.is_empty() {
            let mut members = Map::new();
            for (name, wanted) in [("set", true), ("clear", false)] {
                let tags = self.tags.iter().filter(|(_, it)| **it == wanted);
                let tags: Vec<Value> = tags.map(|(tag, _)| text(tag)).collect();
                if !tags.is_empty() {
                    members.insert(name.to_owned(), tags.into());
                }
            }
            put("tags", members.into());
        }
        if let Some(drift) = self.drift {
            put("drift", text(if drift == Drifting::Repair { "repair" } else { "report" }));
        }
        if !self.intents.is_empty() {
            let members = self.intents.iter();
            put("intents", members.map(|it| Value::Object(it.fields.clone())).collect());
        }
        Value::Object(all)
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn layer(layer: &Layer) -> Value {
    match layer {
        Layer::Global => json!("global"),
        Layer::Tenant(name) => json!({ "tenant": &**name }),
        Layer::Site(name) => json!({ "site": &**name }),
        Layer::Model { oui, product_class: Some(class) } => {
            json!({ "model": { "oui": &**oui, "product_class": &**class } })
        }
        Layer::Model { oui, product_class: None } => json!({ "model": { "oui": &**oui } }),
        Layer::Profile => json!("profile"),
        Layer::Device(id) => json!({ "device": &**id }),
    }
}

fn wish(wish: &Wish) -> Value {
    match wish {
        Wish::Bool(truth) => (*truth).into(),
        Wish::Whole(number) => (*number).into(),
        Wish::Text { text: it, kind: None } if Template::is_plain(it) => text(it),
        Wish::Text { text: it, kind: None } => json!({ "text": &**it }),
        Wish::Text { text: it, kind: Some(kind) } => json!({ "text": &**it, "type": kind.name() }),
        Wish::Template { text: it, kind: None } => text(it),
        Wish::Template { text: it, kind: Some(kind) } => {
            json!({ "value": &**it, "type": kind.name() })
        }
        Wish::Row(name) => json!({ "row": &**name }),
    }
}

fn attribute(form: &AttributeForm) -> Value {
    let word = form.notification.and_then(|number| NOTIFICATIONS.get(usize::from(number)));
    let mut members = Map::new();
    if let Some(word) = word {
        if form.access_list.is_none() {
            return text(word);
        }
        members.insert("notification".to_owned(), text(word));
    }
    if let Some(list) = &form.access_list {
        let list: Vec<Value> = list.iter().map(|name| text(name)).collect();
        members.insert("access_list".to_owned(), list.into());
    }
    members.into()
}

fn table(form: &TableForm) -> Value {
    let mut members = Map::new();
    members.insert("table".to_owned(), text(&form.table));
    if !form.keys.is_empty() {
        members.insert("keys".to_owned(), form.keys.iter().map(|key| text(key)).collect());
    }
    if let Some(others) = form.others {
        let word = if others == OtherRows::Keep { "keep" } else { "remove" };
        members.insert("others".to_owned(), text(word));
    }
    if !form.rows.is_empty() {
        members.insert("rows".to_owned(), form.rows.iter().map(row).collect());
    }
    members.into()
}

fn row(form: &RowForm) -> Value {
    let mut members = Map::new();
    if !form.name.is_empty() {
        members.insert("name".to_owned(), text(&form.name));
    }
    if form.absent {
        members.insert("absent".to_owned(), true.into());
    }
    let values = form.values.iter();
    let values: Map<String, Value> =
        values.map(|(name, it)| (name.to_string(), wish(it))).collect();
    members.insert("values".to_owned(), values.into());
    members.into()
}
