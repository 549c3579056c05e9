//! Whether a request is meant for this server, and not sent by a browser for a page
//! of another site: what a page can do that knows no token but may find one that
//! the browser kept (security: E6, E8).

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri, header};

use super::problem::ApiError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request for a host that is not this server: a page whose name was
/// turned to this address meanwhile (DNS rebinding) still says its own name.
///
/// Good are loopback's names and addresses, the address at which the request came
/// in, and `northbound.hosts`. Ports do not matter: a page cannot choose the port
/// of its own name.
pub(super) fn check(
    uri: &Uri,
    headers: &HeaderMap,
    local: IpAddr,
    hosts: &[String],
) -> Result<(), ApiError> {
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        return Err(ApiError::WrongHost(String::new()));
    };
    let host = host.to_str().unwrap_or_default();
    let authority = host.parse::<Authority>().ok();
    // A request in absolute form says the host twice (RFC 9112 §3.2.2); both must
    // be good, whichever a proxy before us went by.
    let both = [authority.as_ref(), uri.authority().or(authority.as_ref())];
    if both.into_iter().all(|one| one.is_some_and(|one| is_ours(one, local, hosts))) {
        Ok(())
    } else {
        Err(ApiError::WrongHost(host.chars().filter(char::is_ascii_graphic).take(100).collect()))
    }
}

fn is_ours(authority: &Authority, local: IpAddr, hosts: &[String]) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        let named = |host: &String| host.parse().is_ok_and(|host: IpAddr| host == address);
        return address.is_loopback() || address == local || hosts.iter().any(named);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let named = |ours: &String| ours.trim_end_matches('.').eq_ignore_ascii_case(host);
    host.eq_ignore_ascii_case("localhost") || hosts.iter().any(named)
}

/// Whether a browser sent this for a page of another host. Programs send neither
/// `Origin` nor `Sec-Fetch-Site`.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    if headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => !origin.eq_ignore_ascii_case(host),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn e08_only_names_of_this_server_are_answered() {
        let local: IpAddr = "192.0.2.7".parse().unwrap();
        let hosts = ["acs.example.net".to_owned(), "198.51.100.1".to_owned()];
        let good = |uri: &str, pairs: &[(&'static str, &'static str)]| {
            check(&uri.parse().unwrap(), &headers(pairs), local, &hosts).is_ok()
        };
        for host in [
            "127.0.0.1",
            "127.0.0.1:7557",
            "127.8.8.8",
            "[::1]:7557",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "192.0.2.7",
            "192.0.2.7:80",
            "[::ffff:192.0.2.7]",
            "acs.example.net",
            "ACS.example.net.:443",
            "198.51.100.1",
        ] {
            assert!(good("/", &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.localhost",
            "localhost.evil.example",
            "acs.example.net.evil",
            "192.0.2.8",
            "0.0.0.0",
            "[::]",
            "2130706433",
            "0x7f.1",
            "localhost@evil.example",
            "user@localhost",
            "localhost evil.example",
            "acs.example.net/",
            "127.0.0.1:7557:1",
        ] {
            assert!(!good("/", &[("host", host)]), "{host}");
        }
        assert!(!good("/", &[]), "no host");
        assert!(!good("/", &[("host", "localhost"), ("host", "localhost")]), "two hosts");
        assert!(!good("http://evil.example/", &[("host", "localhost")]));
        assert!(!good("http://localhost/", &[("host", "evil.example")]));
        assert!(good("http://localhost/", &[("host", "localhost")]));
    }

    #[test]
    fn e06_pages_of_other_hosts_are_refused_even_with_the_token() {
        for (origin, foreign) in [
            ("http://127.0.0.1:7557", false),
            ("http://127.0.0.1:1", true),
            ("https://evil.example", true),
            ("null", true),
        ] {
            let headers = headers(&[("origin", origin), ("host", "127.0.0.1:7557")]);
            assert_eq!(is_foreign(&headers), foreign, "{origin}");
        }
        for (site, foreign) in
            [("cross-site", true), ("same-origin", false), ("none", false), ("same-site", false)]
        {
            let headers = headers(&[("sec-fetch-site", site), ("host", "127.0.0.1:7557")]);
            assert_eq!(is_foreign(&headers), foreign, "{site}");
        }
    }
}
