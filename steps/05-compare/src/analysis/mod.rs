//! What the numbers mean: functions of results, and of nothing else.

pub(crate) mod comparison;
pub(crate) mod gate;
pub(crate) mod stalls;
pub(crate) mod statistics;
pub(crate) mod validity;
