//! What operators attach: labels as arguments.

use serde_json::{Map, Value, json};

use super::CliError;
use super::client::clean;
use super::secret;

/// Tags, tenant, site and what is known of a subscriber.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Labels {
    /// +TAG to set it, -TAG to take it away; may be repeated
    #[arg(long = "tag", value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    tags: Vec<String>,
    /// The tenant; empty for none
    #[arg(long)]
    tenant: Option<String>,
    /// The site; empty for none
    #[arg(long)]
    site: Option<String>,
    /// A field of the subscriber; NAME= forgets it, NAME=- reads it from standard
    /// input, where no list of processes shows it; may be repeated
    #[arg(long = "subscriber", value_name = "NAME=VALUE")]
    subscriber: Vec<String>,
}

impl Labels {
    /// The members of a request that say so.
    pub(super) fn body(self) -> Result<Map<String, Value>, CliError> {
        let mut body = Map::new();
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for tag in self.tags {
            match (tag.strip_prefix('+'), tag.strip_prefix('-')) {
                (_, Some(tag)) => remove.push(tag.to_owned()),
                (Some(tag), None) => add.push(tag.to_owned()),
                (None, None) => add.push(tag),
            }
        }
        for (name, tags) in [("add_tags", add), ("remove_tags", remove)] {
            if !tags.is_empty() {
                body.insert(name.to_owned(), json!(tags));
            }
        }
        for (name, text) in [("tenant", self.tenant), ("site", self.site)] {
            body.extend(text.map(|text| (name.to_owned(), text.into())));
        }
        let mut fields = Map::new();
        for field in self.subscriber {
            let pair = field.split_once('=').filter(|(name, _)| !name.is_empty());
            let (name, value) = pair.ok_or_else(|| CliError::BadArgument {
                argument: clean(&field),
                problem: "write it as NAME=VALUE, as in id=4711",
            })?;
            let value = match value {
                "-" => secret::read(name)?,
                value => value.to_owned(),
            };
            fields.insert(name.to_owned(), value.into());
        }
        if !fields.is_empty() {
            body.insert("subscriber".to_owned(), fields.into());
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_not_in_the_request() {
        assert_eq!(Value::from(Labels::default().body().unwrap()), json!({}));
        let labels = Labels {
            tags: vec!["+a".into(), "-b".into(), "c".into()],
            site: Some(String::new()),
            subscriber: vec!["id=a=b".into(), "name=".into()],
            ..Labels::default()
        };
        let said = json!({"add_tags": ["a", "c"], "remove_tags": ["b"], "site": "",
            "subscriber": {"id": "a=b", "name": ""}});
        assert_eq!(Value::from(labels.body().unwrap()), said);
        let bad = Labels { subscriber: vec!["=x".into()], ..Labels::default() };
        assert!(bad.body().is_err());
    }
}
