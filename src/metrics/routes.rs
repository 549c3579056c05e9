//! Requests of the northbound by route and status. Routes are those of its table,
//! as it spells them (`/api/v1/devices/{id}`): nothing of a request is in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::head;

const NAME: &str = "provost_northbound_requests_total";

/// A route, a method and a status.
type Answered = (Box<str>, &'static str, u16);

/// How often each route was answered with each status.
#[derive(Debug, Default)]
struct Routes(Mutex<BTreeMap<Answered, u64>>);

static ROUTES: Routes = Routes(Mutex::new(BTreeMap::new()));

/// Counts an answer of the northbound: the route as the table spells it, `none` if
/// there was none or nobody was let in; `method` as it stands in the table.
pub fn route_answered(method: &'static str, route: &str, status: u16) {
    ROUTES.answered(method, route, status);
}

pub(super) fn write(out: &mut String) {
    ROUTES.write(out);
}

impl Routes {
    fn answered(&self, method: &'static str, route: &str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((route.into(), method, status)).or_default() += 1;
    }

    fn write(&self, out: &mut String) {
        head(out, NAME, "Requests of the northbound, by route and status.", "counter");
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((route, method, status), count) in counts {
            let _ = writeln!(
                out,
                "{NAME}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_told_as_the_table_spells_them() {
        let routes = Routes::default();
        routes.answered("GET", "/api/v1/devices/{id}", 200);
        routes.answered("GET", "/api/v1/devices/{id}", 200);
        routes.answered("GET", "none", 401);
        let mut out = String::new();
        routes.write(&mut out);
        assert!(out.contains("{method=\"GET\",route=\"/api/v1/devices/{id}\",status=\"200\"} 2\n"));
        assert!(out.ends_with("{method=\"GET\",route=\"none\",status=\"401\"} 1\n"));
    }
}
