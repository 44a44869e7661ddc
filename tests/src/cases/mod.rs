//! The cases, in three groups.
//!
//! Each is written from the protocol's description and not from the code of
//! any step: a mistake in that code is not to be repeated here. Above each
//! stands what a server does that fails it.

mod coincidences;
mod crowds;
mod endings;
mod lengths;
mod limits;
mod lines;
mod outputs;
mod resources;
mod signals;
mod stops;
mod strangers;
mod streams;
mod words;

use crate::Case;

/// All cases: first the protocol, then the peers, then the process.
pub fn all_cases() -> impl Iterator<Item = &'static Case> {
    let protocol =
        [lines::CASES, lengths::CASES, streams::CASES, endings::CASES];
    let peers = [strangers::CASES, crowds::CASES];
    let process = [
        limits::CASES,
        resources::CASES,
        signals::CASES,
        stops::CASES,
        coincidences::CASES,
        outputs::CASES,
    ];
    protocol.into_iter().chain(peers).chain(process).flatten()
}
