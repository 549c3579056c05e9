//! SIP PnP: a phone without a configuration asks the multicast group 224.0.1.75
//! for one by SUBSCRIBE (`Event: ua-profile`) and is told a URL by NOTIFY.
//!
//! - `ask`: SUBSCRIBE datagrams, in every vendor's form; pure.
//! - `answer`: the 200 and the NOTIFY; pure.
//! - `pace`: how often a source may ask; pure, and of a fixed size.
//! - `door`: the socket.
//!
//! Nobody proves who he is here, so that everything is arranged for forged
//! requests to cost nothing: whoever asks too often, in no sound form, or for a
//! phone that is not known gets silence, and an answer goes to the address
//! only that the request came from.

mod answer;
mod ask;
mod door;
mod pace;

pub use ask::{AskError, PnpAsk, PnpClaim};
pub use door::{PnpDoor, PnpUrls};
