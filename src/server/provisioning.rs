//! What phones are served with: the operator's templates, and the addresses that
//! phones are told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::addresses::Addresses;
use super::error::ServerError;
use crate::config::Config;
use crate::gate::OnboardingAccount;
use crate::phone::Vendor;
use crate::provision::{AcsLogin, Templates};
use crate::supply::{AcsFor, Bases};

/// The folder of the operator's templates, below the data folder.
pub const TEMPLATES: &str = "templates";
/// The largest template file that is read, in bytes.
const MAX_TEMPLATE: u64 = 256 << 10;

/// The shipped templates with those in `<data>/templates/<vendor>/` over them.
/// Files whose names begin with a dot, or end with `~`, are passed over.
///
/// # Errors
/// [`ServerError::Data`] for what cannot be read, [`ServerError::Template`] for
/// what is no template, with its line.
pub(super) fn templates(data: &Path) -> Result<Templates, ServerError> {
    let mut own = Vec::new();
    for vendor in Vendor::ALL {
        let folder = data.join(TEMPLATES).join(vendor.word());
        for path in files_in(&folder)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let failed = |source| ServerError::Data { path: path.clone(), source };
            if path.metadata().map_err(failed)?.len() > MAX_TEMPLATE {
                let problem = "this is larger than a template may be (256 KB)";
                return Err(ServerError::Unusable { path, problem });
            }
            let source = std::fs::read_to_string(&path).map_err(failed)?;
            own.push((format!("{vendor}/{name}"), source));
        }
    }
    Ok(Templates::with(own)?)
}

/// The files of a folder in the order of their names; none if there is no such
/// folder.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let failed = |source| ServerError::Data { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

/// What phones are told: where their files are, and where the ACS is.
pub(super) fn told(
    config: &Config,
    addresses: &Addresses,
    onboarding: Option<OnboardingAccount>,
) -> (Bases, Arc<AcsFor>) {
    let own = own_address();
    (bases(config, addresses, own), acs(config, addresses, own, onboarding))
}

/// The address by which this machine is reached from elsewhere: that of its default
/// route. Nothing is sent to find it; loopback if there is no route.
fn own_address() -> IpAddr {
    // A documentation address (RFC 5737): it only chooses the route.
    let routed = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    });
    routed.unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// A door as phones reach it: one that listens everywhere at this machine's own
/// address.
fn faced(at: SocketAddr, own: IpAddr) -> SocketAddr {
    if at.ip().is_unspecified() { (own, at.port()).into() } else { at }
}

/// Under which addresses phones reach the file doors: by the host of
/// `files.public_url` if it is set, else by the doors' own addresses.
fn bases(config: &Config, addresses: &Addresses, own: IpAddr) -> Bases {
    let (http, https) = (addresses.files, addresses.files_tls);
    let Some(url) = config.files.public_url.as_deref().map(|url| url.trim_end_matches('/')) else {
        let of = |scheme: &str, at: Option<SocketAddr>| {
            at.map(|at| format!("{scheme}://{}", faced(at, own))).unwrap_or_default()
        };
        return Bases { http: of("http", http), https: of("https", https), prefer_https: false };
    };
    // The other door is taken to be at the same host, with its own port.
    let other = |scheme: &str, at: Option<SocketAddr>| {
        at.map(|at| format!("{scheme}://{}:{}", host(url), at.port())).unwrap_or_default()
    };
    if url.starts_with("https://") {
        Bases { http: other("http", http), https: url.to_owned(), prefer_https: true }
    } else {
        Bases { http: url.to_owned(), https: other("https", https), prefer_https: false }
    }
}

/// How phones that are moved to CWMP log in there: as new devices do.
fn acs(
    config: &Config,
    addresses: &Addresses,
    own: IpAddr,
    onboarding: Option<OnboardingAccount>,
) -> Arc<AcsFor> {
    let told = config.files.public_url.as_deref().map(host).map(str::to_owned);
    let url = |scheme: &str, at: SocketAddr| match &told {
        Some(host) => format!("{scheme}://{host}:{}/", at.port()),
        None => format!("{scheme}://{}/", faced(at, own)),
    };
    let https = addresses.cwmp_tls.map(|at| url("https", at));
    let url = addresses.cwmp.map(|at| url("http", at)).or(https);
    Arc::new(move |_phone| {
        let (username, password) = match &onboarding {
            Some(account) => (account.username.to_string(), Some(account.password.clone())),
            None => (String::new(), None),
        };
        Some(AcsLogin { url: url.clone()?, username, password })
    })
}

/// The host of a URL without its port.
fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(public_url: Option<&str>) -> (String, String, bool) {
        let mut config = Config::default();
        config.files.public_url = public_url.map(str::to_owned);
        let at = |port| Some(SocketAddr::from(([0, 0, 0, 0], port)));
        let addresses = Addresses { files: at(80), files_tls: at(443), ..Addresses::default() };
        let Bases { http, https, prefer_https } =
            bases(&config, &addresses, [198, 51, 100, 7].into());
        (http, https, prefer_https)
    }

    #[test]
    fn phones_are_told_the_public_url_and_the_other_door_beside_it() {
        for (url, http, https, prefer) in [
            (None, "http://198.51.100.7:80", "https://198.51.100.7:443", false),
            (
                Some("http://p.example:8080/x/"),
                "http://p.example:8080/x",
                "https://p.example:443",
                false,
            ),
            (Some("https://p.example"), "http://p.example:80", "https://p.example", true),
            (
                Some("https://[2001:db8::1]:8443"),
                "http://[2001:db8::1]:80",
                "https://[2001:db8::1]:8443",
                true,
            ),
        ] {
            assert_eq!(told(url), (http.to_owned(), https.to_owned(), prefer), "{url:?}");
        }
    }

    #[test]
    fn a_template_of_the_operator_is_read_and_a_broken_one_named() {
        let data = tempfile::tempdir().unwrap();
        assert!(templates(data.path()).unwrap().has("fanvil/own.rows"));
        let folder = data.path().join("templates/fanvil");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("lobby.rows"), "A=1\n").unwrap();
        std::fs::write(folder.join(".lobby.rows.swp"), [0xff]).unwrap();
        std::fs::write(folder.join("lobby.rows~"), "{{").unwrap();
        assert!(templates(data.path()).unwrap().has("fanvil/lobby.rows"));
        std::fs::write(folder.join("lobby.rows"), "A=1\n{% if %}\n").unwrap();
        let error = templates(data.path()).unwrap_err().to_string();
        assert!(error.contains("fanvil/lobby.rows, line 2"), "{error}");
        std::fs::write(folder.join("lobby.rows"), "A=1\n").unwrap();
        std::fs::write(folder.join("lobby.txt"), "").unwrap();
        let error = templates(data.path()).unwrap_err().to_string();
        assert!(error.contains("lobby.txt"), "{error}");
    }
}
