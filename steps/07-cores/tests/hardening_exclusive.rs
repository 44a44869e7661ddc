//! The hardening suite against `--spread exclusive`.

#[path = "../../../tests/suites/hardening.rs"]
mod suite;
