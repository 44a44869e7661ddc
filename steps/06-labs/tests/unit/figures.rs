//! Numbers, as the labs write them.

use super::*;

#[test]
fn quantiles_are_values_that_occurred() {
    let values = [5.0, 1.0, 4.0, 2.0, 3.0];
    assert_eq!(median(&values), 3.0);
    assert_eq!(quantile(&values, 1.0), 5.0);
    assert_eq!(quantile(&values, 0.9), 5.0);
    assert!(median(&[]).is_nan());
}

#[test]
fn numbers_are_written_in_the_unit_that_suits_them() {
    assert_eq!(seconds(1.034), "1.03 s");
    assert_eq!(seconds(0.9999), "1.00 s");
    assert_eq!(seconds(0.0441), "44.1 ms");
    assert_eq!(seconds(23.4e-6), "23.4 µs");
    assert_eq!(bytes(5.0), "5 B");
    assert_eq!(bytes(65_536.0), "64 KiB");
    assert_eq!(bytes(2.5 * 1_048_576.0), "2.5 MiB");
    assert_eq!([count(7), count(28_232)], ["7", "28,232"]);
    assert_eq!([decimal(0.2 + 0.1), decimal(4.0)], ["0.3", "4"]);
}
