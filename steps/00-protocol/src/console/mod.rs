//! What a program says to the person who runs it. An appendix of the book
//! explains it; to understand the servers its names are enough.

mod error;
mod log;
mod messages;
mod options;

pub use error::{Call, Error, Result, ResultExt, exit_code};
pub use log::Log;
pub use messages::{Language, Message, printable};
pub use options::{LimitOptions, ListenOptions, host, seconds};
