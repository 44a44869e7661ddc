//! # Step 00: the protocol
//!
//! TCP delivers a stream of bytes, not messages. Where a message ends is for
//! the two programs to agree on, and this step is that agreement: bytes in,
//! replies out. It opens no socket, so it can be tested to the last byte, and
//! each server after it differs in nothing but how it moves those bytes.
//!
//! | file | its one idea |
//! |---|---|
//! | `framing.rs` | find the lines in a stream that is cut anywhere |
//! | `reply.rs` | one line in, one reply out |
//! | `conversation.rs` | the two together: all that a connection remembers |
//! | `messages.rs` | what a server prints, in two languages |
//! | `log.rs` | printing that never stops the service |
//! | `print.rs` | printing results, which may fail |
//! | `failure.rs` | an error that says what to do next |
//! | `options.rs` | the command line that the servers share |
//!
//! What it cannot do yet: talk to anybody. That takes a socket (step 01).

mod conversation;
mod failure;
mod framing;
mod log;
mod messages;
mod options;
mod print;
mod reply;

pub use conversation::Conversation;
pub use failure::{Doing, Failure, conclude};
pub use framing::{Frame, Framer, MAX_LINE};
pub use log::Log;
pub use messages::{Language, Message, Printable};
pub use options::{LimitOptions, ListenOptions, seconds};
pub use print::print;
pub use reply::{ECHO, PONG, TOO_LONG, answer};
