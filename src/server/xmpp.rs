//! The way to devices through an XMPP server, as it is configured.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::error::ServerError;
use crate::config::{Config, XmppTls};
use crate::device::Secret;
use crate::http::{Host, client_tls};
use crate::link::LinkTarget;
use crate::store::Vault;
use crate::wake::XmppWay;
use crate::xmpp::{Jid, Security, Settings};

/// The way, and the task that keeps it up until `stop`; `None` if there is none.
///
/// # Errors
/// [`ServerError::Data`] for a file that cannot be read, [`ServerError::Unusable`]
/// and [`ServerError::Xmpp`] for what cannot be used.
pub(super) fn way(
    config: &Config,
    vault: &Arc<Vault>,
    stop: &CancellationToken,
) -> Result<Option<(Arc<XmppWay>, impl Future<Output = ()> + Send + 'static)>, ServerError> {
    let config = &config.xmpp;
    let (Some((host, port)), Some(jid)) = (config.address(), &config.jid) else {
        return Ok(None);
    };
    let jid = Jid::parse(jid).map_err(|error| ServerError::Xmpp(error.to_string()))?;
    if jid.local().is_none() {
        return Err(ServerError::Xmpp("it names no account, as acs@example.net does".to_owned()));
    }
    let password = match (&config.password, &config.password_file) {
        (Some(password), _) => password.clone(),
        (None, Some(path)) => Secret::new(text(path)?.trim_end_matches(['\r', '\n'])),
        (None, None) => return Ok(None),
    };
    let tls = match (&config.ca, config.tls) {
        (_, XmppTls::Off) | (None, _) => None,
        (Some(path), _) => Some(client_tls(&text(path)?).map_err(|_| ServerError::Unusable {
            path: path.clone(),
            problem: "there is no certificate of an authority in it, in PEM",
        })?),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let host = bare.parse().map_or_else(|_| Host::Name(bare.into()), Host::Address);
    let security = match config.tls {
        XmppTls::Starttls => Security::StartTls,
        XmppTls::Direct => Security::Given,
        XmppTls::Off => Security::Clear,
    };
    let settings = Settings { jid, password, security, plain: config.plain, wakeable: false };
    let target = LinkTarget { host, port, tls, settings };
    let (way, keep) = XmppWay::new(target, &config.domains, Arc::clone(vault), stop.clone());
    Ok(Some((Arc::new(way), keep)))
}

fn text(path: &Path) -> Result<String, ServerError> {
    let failed = |source| ServerError::Data { path: path.to_owned(), source };
    std::fs::read_to_string(path).map_err(failed)
}
