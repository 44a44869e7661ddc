//! The hardening suite against `--spread reuseport`.

#[path = "../../../tests/suites/hardening.rs"]
mod suite;
