//! The lists E and F of what hostile callers try, as far as they have no better
//! place; `docs/SECURITY.md` says where each is tested.

mod input;
mod joined;
mod listed;
mod named;
mod tenants;
mod world;
