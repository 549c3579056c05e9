//! The bodies of the fuzz targets, which the tests of each room run as well.

#[path = "../it/bulk/survives.rs"]
pub(crate) mod bulk;
#[path = "../it/cwmp/survives.rs"]
pub(crate) mod cwmp;
#[path = "../it/doors/survives.rs"]
pub(crate) mod doors;
#[path = "../it/http/survives.rs"]
pub(crate) mod http;
#[path = "../it/xmpp/survives.rs"]
pub(crate) mod xmpp;
