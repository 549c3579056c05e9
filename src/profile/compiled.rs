//! A profile with everything in it compiled: what a set is made of.

use super::definition::{AttributeForm, Firmware, Layer, Profile, Wish};
use super::intents::CompiledIntent;
use super::{Asked, Drifting, ProfileError, ProfileRecord};
use crate::device::{OtherRows, Source, Wanted, is_secret_field};
use crate::expr::{Rule, Subject, Template};
use crate::param::{ParamPath, Value, ValueType};
use crate::schema::Schema;

/// A compiled profile.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) source: Source,
    /// Whose it is; empty for the installation's.
    pub(super) tenant: Box<str>,
    pub(super) layer: Layer,
    pub(super) priority: i32,
    pub(super) rule: Rule,
    pub(super) parameters: Vec<(ParamPath, Made)>,
    pub(super) attributes: Vec<(ParamPath, AttributeForm)>,
    pub(super) tables: Vec<CompiledTable>,
    pub(super) refresh: Vec<(ParamPath, u32)>,
    pub(super) firmware: Option<Firmware>,
    pub(super) tags: Vec<(Box<str>, bool)>,
    pub(super) drift: Option<Drifting>,
    pub(super) intents: Vec<CompiledIntent>,
}

/// A value, or what makes it.
#[derive(Debug)]
pub(super) enum Made {
    Value(Value),
    Template(Box<Template>, ValueType),
    Row(Box<str>),
}

/// Rows of a table.
#[derive(Debug)]
pub(super) struct CompiledTable {
    pub(super) table: Box<str>,
    pub(super) keys: Vec<Box<str>>,
    pub(super) others: Option<OtherRows>,
    pub(super) rows: Vec<CompiledRow>,
}

/// A row.
#[derive(Debug)]
pub(super) struct CompiledRow {
    pub(super) name: Box<str>,
    pub(super) absent: bool,
    pub(super) values: Vec<(Box<str>, Made)>,
}

impl Made {
    fn compile(wish: Wish) -> Result<Self, String> {
        let whole = |number: i64| {
            let kind = match number {
                0..=0xffff_ffff => ValueType::UnsignedInt,
                -0x8000_0000..0 => ValueType::Int,
                _ => ValueType::Long,
            };
            Value::new(number.to_string(), kind)
        };
        Ok(match wish {
            Wish::Bool(truth) => Self::Value(Value::boolean(truth)),
            Wish::Whole(number) => Self::Value(whole(number)),
            Wish::Text { text, kind } => Self::Value(Value::new(text, kind.unwrap_or_default())),
            Wish::Template { text, kind } => {
                let template = Template::parse(&text).map_err(|error| error.to_string())?;
                Self::Template(Box::new(template), kind.unwrap_or_default())
            }
            Wish::Row(name) => Self::Row(name),
        })
    }

    /// What a device gets.
    ///
    /// # Errors
    /// Why it cannot be computed.
    pub(super) fn wanted(&self, subject: &Subject<'_>) -> Result<Wanted, String> {
        match self {
            Self::Value(value) => Ok(Wanted::Value(value.clone())),
            Self::Row(name) => Ok(Wanted::Row(name.clone())),
            Self::Template(template, kind) => match template.render(subject) {
                Ok(text) => Ok(Wanted::Value(Value::new(text, kind.clone()))),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    pub(super) const fn template(&self) -> Option<&Template> {
        match self {
            Self::Template(template, _) => Some(template),
            Self::Value(_) | Self::Row(_) => None,
        }
    }

    /// Whether it tells a secret of the subscriber, or another parameter's,
    /// whatever the parameter's name is.
    pub(super) fn is_secret(&self) -> bool {
        let secret = |name: &str| match name.split_once('.') {
            Some(("subscriber", field)) => is_secret_field(field),
            // A field that is only named while it is computed may be any.
            _ => name == "subscriber",
        };
        self.template().is_some_and(|template| {
            template.names().any(secret)
                || template.reads().iter().any(|path| Schema::core().is_secret(path))
        })
    }
}

impl Compiled {
    /// Reads and compiles a stored profile.
    ///
    /// # Errors
    /// [`ProfileError`] for the first thing that is wrong.
    pub(super) fn of(record: &ProfileRecord) -> Result<Self, ProfileError> {
        let told = |problem: String| ProfileError { profile: record.name.clone(), problem };
        let profile = Profile::parse(&record.text).map_err(|error| told(error.problem))?;
        Self::compile(record, profile).map_err(told)
    }

    fn compile(record: &ProfileRecord, profile: Profile) -> Result<Self, String> {
        let source = profile.source(&record.name, record.version);
        let rule = Rule::parse(&profile.rule).map_err(|error| format!("match: {error}"))?;
        let mut parameters = Vec::with_capacity(profile.parameters.len());
        for (path, wish) in profile.parameters {
            let made = Made::compile(wish).map_err(|error| format!("{path}: {error}"))?;
            parameters.push((path, made));
        }
        let mut tables = Vec::with_capacity(profile.tables.len());
        for form in profile.tables {
            let mut rows = Vec::with_capacity(form.rows.len());
            for row in form.rows {
                let mut values = Vec::with_capacity(row.values.len());
                for (name, wish) in row.values {
                    let made = Made::compile(wish);
                    let made = made.map_err(|error| format!("{}{name}: {error}", form.table))?;
                    values.push((name, made));
                }
                rows.push(CompiledRow { name: row.name, absent: row.absent, values });
            }
            let (table, keys, others) = (form.table, form.keys, form.others);
            tables.push(CompiledTable { table, keys, others, rows });
        }
        let intents = profile.intents.iter().map(|form| CompiledIntent::compile(&form.fields));
        let intents: Result<Vec<_>, _> = intents.collect();
        Ok(Self {
            source,
            tenant: record.tenant.clone(),
            layer: profile.layer,
            priority: profile.priority,
            rule,
            parameters,
            attributes: profile.attributes.into_iter().collect(),
            tables,
            refresh: profile.refresh.into_iter().collect(),
            firmware: profile.firmware,
            tags: profile.tags.into_iter().collect(),
            drift: profile.drift,
            intents: intents.map_err(|error| format!("intents: {error}"))?,
        })
    }

    /// Every expression in it.
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let rows = self.tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.values);
        let rows = rows.filter_map(|(_, made)| made.template());
        let values = self.parameters.iter().filter_map(|(_, made)| made.template());
        values.chain(rows).chain(self.intents.iter().flat_map(CompiledIntent::templates))
    }

    /// What it has to be shown of a device.
    pub(super) fn asks(&self) -> Asked {
        let tree = self.rule.needs_tree()
            || !self.intents.is_empty()
            || self.templates().any(Template::needs_tree);
        let phone = self.rule.needs_phone() || self.templates().any(Template::needs_phone);
        Asked { tree, phone }
    }

    /// Whether what it says changes by itself as time goes on.
    pub(super) fn needs_time(&self) -> bool {
        self.rule.needs_time() || self.templates().any(Template::needs_time)
    }

    /// Whether a device is one of its layer, and its tenant's: a tenant's profile is
    /// about devices of that tenant alone, whatever else it says.
    pub(super) fn is_of_layer(&self, subject: &Subject<'_>) -> bool {
        if !self.tenant.is_empty() && self.tenant != subject.labels.tenant {
            return false;
        }
        let device = subject.device;
        match &self.layer {
            Layer::Global | Layer::Profile => true,
            Layer::Tenant(name) => *name == subject.labels.tenant,
            Layer::Site(name) => *name == subject.labels.site,
            Layer::Model { oui, product_class } => {
                let same = |class: &str| *class == *device.identity.product_class;
                *oui == device.identity.oui && product_class.as_deref().is_none_or(same)
            }
            Layer::Device(id) => **id == *device.id.as_str(),
        }
    }
}
