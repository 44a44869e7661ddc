//! Each lab is held to what it claims, and the program to its manners.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod claims;
mod costs;
mod manners;
mod running;
