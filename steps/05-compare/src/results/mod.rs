//! The numbers, and how they are written: what every report is made of.

pub(crate) mod latencies;
pub(crate) mod metric;
pub(crate) mod round;
pub(crate) mod row;
pub mod units;
