//! The cases, in three groups.
//!
//! Each is written from the protocol's description and not from the code of
//! any step: a mistake in that code is not to be repeated here. Above each
//! stands what a server does that fails it.

mod concurrency;
mod endings;
mod helpers;
mod idle_timeout;
mod lengths;
mod limits;
mod lines;
mod misbehaving_peers;
mod outputs;
mod races;
mod resources;
mod signals;
mod stop_and_continue;
mod streams;

use crate::Case;

/// All cases: first the protocol, then the peers, then the process.
pub fn all_cases() -> impl Iterator<Item = &'static Case> {
    let protocol =
        [lines::CASES, lengths::CASES, streams::CASES, endings::CASES];
    let peers = [misbehaving_peers::CASES, concurrency::CASES];
    let process = [
        limits::CASES,
        idle_timeout::CASES,
        resources::CASES,
        signals::CASES,
        stop_and_continue::CASES,
        races::CASES,
        outputs::CASES,
    ];
    protocol.into_iter().chain(peers).chain(process).flatten()
}
