//! What the text of an element may be shown as, by the element's name.

/// How the text of an element is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The name of a parameter or object, by which its neighbours are judged.
    Name,
    /// The value that belongs to the name beside it.
    Value,
    /// A plain text of the standard that opens nothing.
    Plain,
    /// A member of a list of names or methods.
    Member,
    /// Credentials, vouchers, texts of the operator.
    Secret,
    /// Not known here: its text is not shown.
    Unknown,
}

/// Elements of the standard (TR-069 Annex A, SOAP 1.1) that have a text and
/// whose text opens nothing; in lower case, sorted.
const PLAIN: &[&str] = &[
    "accesslistchange",
    "announceurl",
    "applyaftersoftwareupdate",
    "backupurl",
    "commandkey",
    "command",
    "completetime",
    "currentstate",
    "currenttime",
    "delayseconds",
    "deploymentunitref",
    "eventcode",
    "executionenvref",
    "executionunitreflist",
    "expirationdate",
    "failureurl",
    "fault",
    "faultactor",
    "faultcode",
    "faultstring",
    "filesize",
    "filetype",
    "holdrequests",
    "id",
    "instancenumber",
    "isdownload",
    "istransferable",
    "manufacturer",
    "maxenvelopes",
    "maxretries",
    "mode",
    "nextlevel",
    "nexturl",
    "nomorerequests",
    "notification",
    "notificationchange",
    "objectname",
    "operationperformed",
    "optionname",
    "oui",
    "parameterkey",
    "parameterpath",
    "productclass",
    "referer",
    "resolved",
    "retrycount",
    "serialnumber",
    "sessiontimeout",
    "startdate",
    "starttime",
    "state",
    "status",
    "successurl",
    "supportedcwmpversions",
    "targetfilename",
    "transferurl",
    "url",
    "usecwmpversion",
    "usermessage",
    "uuid",
    "version",
    "windowend",
    "windowmode",
    "windowstart",
    "writable",
];

/// Lists whose members are names, methods or words of the standard.
const LISTS: &[&str] = &["parameternames", "methodlist", "accesslist"];

/// Parts of names that mean a secret, whatever the element.
const SECRET: &[&str] =
    &["pass", "pwd", "secret", "username", "credential", "voucher", "token", "signature"];

impl Kind {
    /// Of an element with this local name below `parent`, both in lower case.
    pub(super) fn of(local: &str, parent: &str) -> Self {
        if SECRET.iter().any(|part| local.contains(part)) {
            return Self::Secret;
        }
        match local {
            "name" | "parametername" => Self::Name,
            "value" => Self::Value,
            "string" if LISTS.contains(&parent) => Self::Member,
            local if PLAIN.contains(&local) => Self::Plain,
            _ => Self::Unknown,
        }
    }

    /// Whether what stands inside of such an element is hidden, whatever it is:
    /// the element has a text of its own, and no elements.
    pub(super) const fn hides_inside(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}
