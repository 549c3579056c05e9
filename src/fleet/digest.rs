//! Keyed digests: whether a value is the one that was written, or a state the one
//! that was wanted, without keeping either.

use std::sync::Arc;

use ring::hmac::{Context, HMAC_SHA256, Key, Tag};

use crate::device::{Desired, Wanted};
use crate::plan::Digest;
use crate::profile::FirmwareTarget;
use crate::store::Vault;

/// The digest of a value that is written to a parameter: the first 8 bytes of
/// HMAC-SHA-256 over path, 0x00 and value, by a key of this installation.
pub fn digest(vault: &Vault) -> Digest {
    let key = Key::new(HMAC_SHA256, &vault.derive("written values"));
    Arc::new(move |path, value| {
        let mut context = Context::with_key(&key);
        feed(&mut context, path);
        context.update(value.as_bytes());
        number(&context.sign())
    })
}

/// Stands for states: the same number for the same state, whoever wants it.
#[derive(Clone)]
pub(super) struct StateDigest {
    key: Key,
}

impl StateDigest {
    /// By a key of this installation.
    pub(super) fn new(vault: &Vault) -> Self {
        Self { key: Key::new(HMAC_SHA256, &vault.derive("wanted states")) }
    }

    /// Never 0.
    pub(super) fn of(&self, desired: &Desired, firmware: Option<&FirmwareTarget>) -> u64 {
        let mut context = Context::with_key(&self.key);
        for one in &desired.values {
            feed(&mut context, "value");
            feed(&mut context, one.path.as_str());
            feed_wanted(&mut context, &one.value);
        }
        for one in &desired.attributes {
            feed(&mut context, "attribute");
            feed(&mut context, &format!("{:?}", one.wish));
        }
        for table in &desired.tables {
            feed(&mut context, "table");
            feed(&mut context, &table.table);
            feed(&mut context, &format!("{:?} {:?}", table.keys, table.others));
            for row in &table.rows {
                feed(&mut context, "row");
                feed(&mut context, &row.name);
                for (name, value) in &row.values {
                    feed(&mut context, name);
                    feed_wanted(&mut context, value);
                }
            }
        }
        if let Some(target) = firmware {
            feed(&mut context, "firmware");
            feed(&mut context, &target.version);
        }
        number(&context.sign()).max(1)
    }
}

/// A text, so that two texts in a row are not taken for two others.
fn feed(context: &mut Context, text: &str) {
    context.update(text.as_bytes());
    context.update(&[0]);
}

fn feed_wanted(context: &mut Context, wanted: &Wanted) {
    match wanted {
        Wanted::Value(value) => {
            feed(context, "=");
            feed(context, &value.text);
        }
        Wanted::Row(name) => {
            feed(context, "@");
            feed(context, name);
        }
    }
}

fn number(tag: &Tag) -> u64 {
    tag.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Source, WantedValue};
    use crate::param::{ParamPath, Value};

    fn state(text: &str, version: u32) -> Desired {
        let mut desired = Desired::default();
        let source =
            desired.place_of(Source { layer: "profile".into(), name: "p".into(), version });
        let path = ParamPath::parse("Device.Time.Enable").unwrap();
        desired.values.push(WantedValue {
            path,
            value: Wanted::Value(Value::string(text)),
            source,
        });
        desired
    }

    #[test]
    fn a_state_is_the_same_whoever_wants_it_and_another_with_another_value() {
        let vault = Vault::ephemeral();
        let digest = StateDigest::new(&vault);
        assert_eq!(digest.of(&state("1", 1), None), digest.of(&state("1", 2), None));
        assert_ne!(digest.of(&state("1", 1), None), digest.of(&state("0", 1), None));
        assert_ne!(digest.of(&Desired::default(), None), 0);
    }

    #[test]
    fn a_digest_depends_on_path_value_and_installation() {
        let vault = Vault::ephemeral();
        let (one, other) = (digest(&vault), digest(&Vault::ephemeral()));
        assert_eq!(one("a", "b"), digest(&vault)("a", "b"));
        assert_ne!(one("a", "b"), one("a", "c"));
        assert_ne!(one("a", "b"), one("ab", ""));
        assert_ne!(one("a", "b"), other("a", "b"));
    }
}
