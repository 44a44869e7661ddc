//! # Step 00: the protocol
//!
//! TCP delivers a stream of bytes, not messages. Where a message ends is for
//! the two programs to agree on, and this step is that agreement: bytes in,
//! replies out. It opens no socket, so it can be tested to the last byte, and
//! the servers after it differ in nothing but how they move those bytes. The
//! protocol does not know of [`console`], which is for what a program prints.
//!
//! What it cannot do yet: talk to a client. That takes a socket (step 01).

pub mod console;
mod framing;
mod reply;

pub use console::*;
pub use framing::{Frame, Framer, MAX_LINE_LENGTH};
pub use reply::{Conversation, ECHO, PONG, TOO_LONG, reply};
