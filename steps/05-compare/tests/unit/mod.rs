//! Tests of parts that no command shows by itself. They belong to the library
//! (`src/lib.rs`), whose insides they see.

mod analysis;
mod gate;
mod load;
mod report;
mod results;
mod simulation;
mod system;
mod validity;
