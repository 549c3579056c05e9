//! The bodies of the fuzz targets, which the tests of each room run as well.

#![allow(dead_code, reason = "some have bodies that want text, and are run by the fuzzer alone")]

#[path = "../it/audiocodes/survives.rs"]
pub(crate) mod audiocodes;
#[path = "../it/bulk/survives.rs"]
pub(crate) mod bulk;
#[path = "../it/cwmp/survives.rs"]
pub(crate) mod cwmp;
#[path = "../it/datamodels/survives.rs"]
pub(crate) mod datamodels;
#[path = "../it/doors/survives.rs"]
pub(crate) mod doors;
#[path = "../it/fanvil/survives.rs"]
pub(crate) mod fanvil;
#[path = "../it/http/survives.rs"]
pub(crate) mod http;
#[path = "../it/massdeploy/survives.rs"]
pub(crate) mod massdeploy;
#[path = "../it/profiles/survives.rs"]
pub(crate) mod profiles;
#[path = "../it/profiles/sample.rs"]
mod sample;
#[path = "../it/stun/survives.rs"]
pub(crate) mod stun;
#[path = "../it/xmpp/survives.rs"]
pub(crate) mod xmpp;
