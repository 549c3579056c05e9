//! What the RPCs beside the parameters are asked with, as it stands in JSON, and
//! as it is shown: passwords and vouchers are masked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::plain_text;
use super::mask;
use super::new_task::parse;
use super::problem::{ApiError, bad_value};
use crate::device::{AttributeWish, DeploymentWish, TransferWindow, UploadWish};
use crate::plan::{MAX_OPERATIONS, check_windows};

/// Parameters whose attributes are changed in one task at most.
const MAX_ATTRIBUTES: usize = 1000;

/// Vouchers in one task at most.
const MAX_VOUCHERS: usize = 64;

/// The longest voucher, in characters of Base64.
const MAX_VOUCHER: usize = 16 << 10;

/// The longest delay that is taken: thirty days.
const MAX_DELAY: u32 = 30 * 86_400;

/// What a device is to notify about.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedAttributes {
    /// A parameter, or an object with its trailing dot for all below it.
    name: String,
    /// 0 off, 1 passive, 2 active; 3 to 6 with lightweight notifications, for
    /// devices that speak version 1.4. Left as it is if not given.
    #[schema(maximum = 6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<u8>,
    /// Who besides the server may write: `Subscriber`, or nobody. Left as it
    /// is if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<Vec<String>>,
}

/// When a file may be fetched, in seconds from the device's being asked.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// First second.
    start: u32,
    /// Last second.
    end: u32,
    /// `1 At Any Time` if not given, `2 Immediately`, `3 When Idle`,
    /// `4 Confirmation Needed`.
    #[serde(default = "Window::any_time")]
    mode: String,
    /// What the user is shown with `4 Confirmation Needed`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    user_message: String,
    /// How often it may try again: -1 as it likes, 0 not at all.
    #[serde(default = "Window::as_it_likes")]
    max_retries: i32,
}

/// What is done with a software module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UnitWord {
    /// Install from `url`.
    Install,
    /// Update the one named by `uuid` or `url`; all without either.
    Update,
    /// Remove the one named by `uuid`.
    Uninstall,
}

/// An operation on a software module.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitOperation {
    operation: UnitWord,
    /// Where the module is fetched.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    url: String,
    /// Its UUID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    uuid: String,
    /// The version that is updated or removed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    version: String,
    /// The user name at the file server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    username: String,
    /// The password at the file server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    password: String,
    /// Path of the execution environment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    execution_environment: String,
}

impl Window {
    fn any_time() -> String {
        "1 At Any Time".to_owned()
    }

    const fn as_it_likes() -> i32 {
        -1
    }
}

/// What a task that changes attributes is made of.
pub(super) fn attributes(list: Vec<NamedAttributes>) -> Result<Vec<AttributeWish>, ApiError> {
    if list.is_empty() || list.len() > MAX_ATTRIBUTES {
        return Err(bad_value("attributes", format!("from 1 to {MAX_ATTRIBUTES}")));
    }
    let mut wishes: Vec<AttributeWish> = Vec::with_capacity(list.len());
    for (position, one) in list.into_iter().enumerate() {
        let field = format!("attributes[{position}]");
        let path = parse(&format!("{field}.name"), &one.name)?;
        if wishes.iter().any(|wish| wish.path == path) {
            return Err(bad_value(format!("{field}.name"), "is named twice"));
        }
        if one.notification.is_none() && one.access_list.is_none() {
            return Err(bad_value(field, "needs `notification` or `access_list`"));
        }
        if one.notification.is_some_and(|number| number > 6) {
            return Err(bad_value(format!("{field}.notification"), "from 0 to 6"));
        }
        let access_list = match one.access_list {
            Some(list) if list.len() > 16 => {
                return Err(bad_value(format!("{field}.access_list"), "at most 16"));
            }
            Some(list) => {
                for name in &list {
                    plain_text(&format!("{field}.access_list"), name, 64)?;
                }
                Some(list.into_iter().map(Into::into).collect())
            }
            None => None,
        };
        wishes.push(AttributeWish { path, notification: one.notification, access_list });
    }
    Ok(wishes)
}

/// The windows of a ScheduleDownload.
pub(super) fn windows(list: Vec<Window>) -> Result<Vec<TransferWindow>, ApiError> {
    let windows: Vec<TransferWindow> = list
        .into_iter()
        .map(|window| TransferWindow {
            start: window.start,
            end: window.end,
            mode: window.mode.into(),
            user_message: window.user_message.into(),
            max_retries: window.max_retries,
        })
        .collect();
    for window in &windows {
        plain_text("windows", &window.mode, 64)?;
        plain_text("windows", &window.user_message, 256)?;
        if window.end > MAX_DELAY {
            return Err(bad_value("windows", format!("at most {MAX_DELAY} seconds ahead")));
        }
    }
    check_windows(&windows).map_err(|error| bad_value("windows", error))?;
    Ok(windows)
}

/// What a device is to send.
pub(super) fn upload(file_type: String, delay: Option<u32>) -> Result<UploadWish, ApiError> {
    plain_text("file_type", &file_type, 64)?;
    let (number, rest) = file_type.split_once(' ').unwrap_or((&file_type, ""));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if rest.trim().is_empty() || !(is_number || number == "X") {
        let forms = "`3 Vendor Configuration File 1`, `4 Vendor Log File 1`, or a vendor's `X …`";
        return Err(bad_value("file_type", forms));
    }
    let delay_seconds = delay.unwrap_or(0);
    check_delay(delay_seconds)?;
    Ok(UploadWish { file_type: file_type.into(), delay_seconds })
}

/// The seconds until a scheduled Inform.
pub(super) fn delay(seconds: Option<u32>) -> Result<u32, ApiError> {
    match seconds.unwrap_or(0) {
        0 => Err(bad_value("delay", "at least 1 second")),
        seconds => check_delay(seconds),
    }
}

fn check_delay(seconds: u32) -> Result<u32, ApiError> {
    if seconds > MAX_DELAY {
        return Err(bad_value("delay", format!("at most {MAX_DELAY} seconds")));
    }
    Ok(seconds)
}

/// The operations of a ChangeDUState.
pub(super) fn operations(list: Vec<UnitOperation>) -> Result<Vec<DeploymentWish>, ApiError> {
    if list.is_empty() || list.len() > MAX_OPERATIONS {
        return Err(bad_value("operations", format!("from 1 to {MAX_OPERATIONS}")));
    }
    let mut wishes = Vec::with_capacity(list.len());
    for (position, one) in list.into_iter().enumerate() {
        wishes.push(operation(&format!("operations[{position}]"), one)?);
    }
    Ok(wishes)
}

fn operation(field: &str, one: UnitOperation) -> Result<DeploymentWish, ApiError> {
    let limits = [
        ("url", &one.url, 1024),
        ("version", &one.version, 32),
        ("username", &one.username, 256),
        ("password", &one.password, 256),
        ("execution_environment", &one.execution_environment, 256),
    ];
    for (name, text, most) in limits {
        plain_text(&format!("{field}.{name}"), text, most)?;
    }
    if !one.uuid.is_empty() && (one.uuid.len() != 36 || uuid::Uuid::try_parse(&one.uuid).is_err()) {
        return Err(bad_value(format!("{field}.uuid"), "is no UUID"));
    }
    if !one.url.is_empty() {
        check_url(&format!("{field}.url"), &one.url)?;
    }
    let useless = |name: &str, text: &str| match text {
        "" => Ok(()),
        _ => Err(bad_value(format!("{field}.{name}"), "has no meaning with this operation")),
    };
    let needed = |name: &str, text: &str| match text {
        "" => Err(bad_value(format!("{field}.{name}"), "is needed by this operation")),
        _ => Ok(()),
    };
    match one.operation {
        UnitWord::Install => {
            needed("url", &one.url)?;
            useless("version", &one.version)?;
            Ok(DeploymentWish::Install {
                url: one.url.into(),
                uuid: one.uuid.into(),
                username: one.username.into(),
                password: one.password.into(),
                execution_env: one.execution_environment.into(),
            })
        }
        UnitWord::Update => {
            useless("execution_environment", &one.execution_environment)?;
            Ok(DeploymentWish::Update {
                uuid: one.uuid.into(),
                version: one.version.into(),
                url: one.url.into(),
                username: one.username.into(),
                password: one.password.into(),
            })
        }
        UnitWord::Uninstall => {
            needed("uuid", &one.uuid)?;
            useless("url", &one.url)?;
            useless("username", &one.username)?;
            useless("password", &one.password)?;
            Ok(DeploymentWish::Uninstall {
                uuid: one.uuid.into(),
                version: one.version.into(),
                execution_env: one.execution_environment.into(),
            })
        }
    }
}

/// A URL that a device may be given: with a scheme and a host, and without user
/// information, which has fields of its own.
fn check_url(field: &str, url: &str) -> Result<(), ApiError> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !matches!(scheme, "http" | "https" | "ftp" | "sftp" | "tftp") || authority.is_empty() {
        return Err(bad_value(field, "http, https, ftp, sftp or tftp, and a host"));
    }
    if authority.contains('@') || url.contains(char::is_whitespace) {
        return Err(bad_value(field, "without user name and blanks"));
    }
    Ok(())
}

/// The vouchers of a SetVouchers.
pub(super) fn vouchers(list: Vec<String>) -> Result<Vec<Box<str>>, ApiError> {
    if list.is_empty() || list.len() > MAX_VOUCHERS {
        return Err(bad_value("vouchers", format!("from 1 to {MAX_VOUCHERS}")));
    }
    for (position, voucher) in list.iter().enumerate() {
        let sound = voucher.len() <= MAX_VOUCHER && STANDARD.decode(voucher).is_ok();
        if !sound || voucher.is_empty() {
            return Err(bad_value(format!("vouchers[{position}]"), "is no Base64, or too long"));
        }
    }
    Ok(list.into_iter().map(Into::into).collect())
}

/// The name of an option; empty for all.
pub(super) fn option(name: Option<String>) -> Result<Box<str>, ApiError> {
    let name = name.unwrap_or_default();
    plain_text("option", &name, 64)?;
    Ok(name.into())
}

/// Vouchers as they are shown: that there are so many.
pub(super) fn shown_vouchers(vouchers: &[Box<str>]) -> Vec<String> {
    vouchers.iter().map(|_| mask::MASK.to_owned()).collect()
}

impl From<AttributeWish> for NamedAttributes {
    fn from(wish: AttributeWish) -> Self {
        let list = |list: Vec<Box<str>>| list.into_iter().map(Into::into).collect();
        Self {
            name: wish.path.to_string(),
            notification: wish.notification,
            access_list: wish.access_list.map(list),
        }
    }
}

impl From<TransferWindow> for Window {
    fn from(window: TransferWindow) -> Self {
        Self {
            start: window.start,
            end: window.end,
            mode: window.mode.into(),
            user_message: window.user_message.into(),
            max_retries: window.max_retries,
        }
    }
}

impl From<DeploymentWish> for UnitOperation {
    fn from(wish: DeploymentWish) -> Self {
        let masked = |password: &str| if password.is_empty() { "" } else { mask::MASK }.to_owned();
        let of = |operation| Self {
            operation,
            url: String::new(),
            uuid: String::new(),
            version: String::new(),
            username: String::new(),
            password: String::new(),
            execution_environment: String::new(),
        };
        match wish {
            DeploymentWish::Install { url, uuid, username, password, execution_env } => Self {
                url: mask::url(&url).into_owned(),
                uuid: uuid.into(),
                username: username.into(),
                password: masked(&password),
                execution_environment: execution_env.into(),
                ..of(UnitWord::Install)
            },
            DeploymentWish::Update { uuid, version, url, username, password } => Self {
                uuid: uuid.into(),
                version: version.into(),
                url: mask::url(&url).into_owned(),
                username: username.into(),
                password: masked(&password),
                ..of(UnitWord::Update)
            },
            DeploymentWish::Uninstall { uuid, version, execution_env } => Self {
                uuid: uuid.into(),
                version: version.into(),
                execution_environment: execution_env.into(),
                ..of(UnitWord::Uninstall)
            },
        }
    }
}
