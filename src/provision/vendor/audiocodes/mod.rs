//! AudioCodes 400HD: the text of their files, what is known of their parameters,
//! linked files, names, encryption, and what they make of DHCP's options.
//!
//! A phone fetches one file of its own, `<MAC>.cfg`, made of the accounts, keys
//! and directives by a template and of the settings, which win. It keeps what a
//! file does not name. `docs/AUDIOCODES.md` says what is known for sure.

mod agent;
mod cfg;
mod cipher;
mod family;
mod linked;
mod names;
mod option43;
mod options;
mod parameters;
mod render;

pub use agent::agent;
pub use cfg::{CfgError, Line, read, write};
pub use cipher::{CfxError, KeyDigest, decrypt_cfx, encrypt_cfx};
pub use family::{AudioCodes, FAMILY};
pub use linked::{LinkedError, resolve as resolve_linked};
pub use option43::{encode_url, url as option_43_url};
pub use options::{From, Options, Urls, expand};
pub use parameters::{Kind, Parameter, check as check_setting, is_secret, known};
