//! The order of a session, from the server's side (TR-069 §3.7.2): who may
//! speak next, and what an answer belongs to. What is *wanted* of the device
//! is not known here.
//!
//! [`state`](self) holds the states between two HTTP messages, [`Output`] what
//! was learned from a message, and the turns ([`Greeting`], [`Asked`],
//! [`Turn`]) the right to say the next thing.

mod end;
mod state;
mod turn;
mod version;

pub use end::Ending;
pub use state::{AwaitInform, AwaitResponse, Draining, Ended, Input, Output, Session};
pub use turn::{Asked, Greeting, Turn};
pub use version::Version;
