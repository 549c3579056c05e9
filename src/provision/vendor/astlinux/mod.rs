//! AstLinux mass deployment: one line a phone, one template a phone type, and
//! from both the dialplan, the SIP configuration and each phone's own file.
//!
//! ```text
//! mass-deployment text → Row → Entry ┐
//!                                    ├→ Phone → files, rows of the table `phoneprov`
//! template text        → Template ───┘
//! ```
//!
//! Two [`Mode`]s: [`Mode::Right`] does what users were told; [`Mode::Original`]
//! keeps what the scripts of AstLinux really do, where something may lean on it.
//! `docs/ASTLINUX.md` has the table of the differences. Reading files, writing
//! them and the SQLite table are the command's part, `cli::massdeploy`.

mod condition;
mod context;
mod entry;
mod family;
mod general;
mod import;
mod mass;
mod mode;
mod original;
mod passwords;
mod phone;
mod template;
#[cfg(test)]
mod tests;
mod variables;

pub use context::Context;
pub use entry::{Entry, EntryError, Line};
pub use family::{AstLinux, FAMILY};
pub use import::{ImportError, Imported, ImportedLine, import};
pub use mass::{MassError, Row, rows};
pub use mode::Mode;
pub use passwords::{Added, add_passwords};
pub use phone::{Phone, PhoneFile, RenderError, Server, SqlRow, render_phone};
pub use template::{MAX_TEMPLATE, Template, TemplateError};
