//! What the numbers mean: functions of results, and of nothing else.

mod compared;
pub(crate) mod comparison;
pub(crate) mod gate;
pub(crate) mod growth;
pub(crate) mod littles_law;
#[cfg(test)]
mod simulation;
pub(crate) mod stalls;
pub(crate) mod statistics;
pub(crate) mod validity;
