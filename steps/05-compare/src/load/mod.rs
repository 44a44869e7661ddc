//! What is sent, and when: data, and nothing of this program's besides.

pub(crate) mod pacing;
pub(crate) mod scenario;
