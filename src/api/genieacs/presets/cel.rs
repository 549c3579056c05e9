//! Conditions as rules of ours (CEL).

/// What stands on the left of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Left {
    /// A field that every device has: `device.oui`.
    Field(&'static str),
    /// The value of a parameter.
    Value(String),
    /// A tag.
    Tag(String),
}

/// What it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Right {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl How {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// What holds where this does not.
    pub(super) const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    /// The same with both sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

impl Left {
    /// What a name is about.
    ///
    /// # Errors
    /// What rules cannot look at.
    pub(super) fn of(name: &str) -> Result<Self, String> {
        let name = name.strip_suffix("._value").unwrap_or(name);
        if let Some(tag) = name.strip_prefix("Tags.") {
            return Ok(Self::Tag(tag.to_owned()));
        }
        let field = match name {
            "_id" | "DeviceID.ID" => "device.id",
            "_deviceId._Manufacturer" | "DeviceID.Manufacturer" => "device.manufacturer",
            "_deviceId._OUI" | "DeviceID.OUI" => "device.oui",
            "_deviceId._ProductClass" | "DeviceID.ProductClass" => "device.product_class",
            "_deviceId._SerialNumber" | "DeviceID.SerialNumber" => "device.serial",
            _ if name.starts_with("Device.") || name.starts_with("InternetGatewayDevice.") => {
                return Ok(Self::Value(name.to_owned()));
            }
            _ => {
                let name: String = name.chars().take(80).collect();
                return Err(format!("rules cannot look at {name}"));
            }
        };
        Ok(Self::Field(field))
    }

    /// Whether anything is known of it.
    pub(super) fn known(&self) -> String {
        match self {
            Self::Field(_) => "true".to_owned(),
            Self::Value(path) => format!("known({})", quoted(path)),
            Self::Tag(tag) => format!("has_tag({})", quoted(tag)),
        }
    }

    /// That it is not null: a parameter may be known without its value.
    pub(super) fn present(&self) -> String {
        match self {
            Self::Value(_) => format!("{} != null", self.term()),
            _ => self.known(),
        }
    }

    fn term(&self) -> String {
        match self {
            Self::Field(field) => (*field).to_owned(),
            Self::Value(path) => format!("value({})", quoted(path)),
            Self::Tag(tag) => format!("has_tag({})", quoted(tag)),
        }
    }
}

/// A comparison that fails where the left side is not known.
pub(super) fn compared(left: &Left, how: How, right: &Right) -> String {
    if let Left::Tag(_) = left {
        // A tag that is not there is not false, but unknown.
        return match (how, right) {
            (How::Equal, Right::Truth(true)) | (How::Unequal, Right::Truth(false)) => left.known(),
            _ => "false".to_owned(),
        };
    }
    let term = left.term();
    let one = |right: String| format!("{term} {} {right}", how.sign());
    let plain = one(right.written());
    // Devices tell numbers as such, and people write them as texts.
    let number = match (right, how) {
        (Right::Text(text), How::Equal | How::Unequal) if matches!(left, Left::Value(_)) => {
            text.parse::<f64>().ok().filter(|number| number.is_finite())
        }
        _ => None,
    };
    let both = match (number, how) {
        (Some(number), How::Equal) => format!("({plain} || {})", one(written(number))),
        (Some(number), _) => format!("({plain} && {})", one(written(number))),
        (None, _) => plain,
    };
    match left {
        Left::Value(_) => format!("({} && {both})", left.present()),
        _ => both,
    }
}

/// A pattern on a text, or its opposite.
pub(super) fn like(left: &Left, pattern: &str, is_like: bool) -> Result<String, String> {
    let not = if is_like { "" } else { "!" };
    let matches = |term: String| format!("{not}{term}.matches({})", quoted(pattern));
    match left {
        Left::Field(field) => Ok(matches((*field).to_owned())),
        Left::Value(_) => {
            let text = matches(format!("string({})", left.term()));
            Ok(format!("({} && {text})", left.present()))
        }
        Left::Tag(_) => Err("a tag is no text".to_owned()),
    }
}

impl Right {
    fn written(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Number(number) => written(*number),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

fn written(number: f64) -> String {
    // A whole number prints without a point, as CEL wants it for one.
    number.to_string()
}

/// A text as CEL reads it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Conditions with a word between.
pub(super) fn joined(parts: Vec<String>, word: &str, none: &str) -> String {
    match parts.len() {
        0 => none.to_owned(),
        1 => parts.into_iter().next().unwrap_or_default(),
        _ => format!("({})", parts.join(word)),
    }
}
