//! How long it takes to find the end of a line: byte by byte, as the standard
//! library's `position` does, and with `memchr`, which compares many at once.

use std::hint::black_box;
use std::time::Instant;

const REPEATS: u32 = 1_000_000;

fn main() {
    println!("bytes  position  memchr  (ns a line, the best of ten)");
    for length in [4, 16, 64, 250, 1_000] {
        let mut line = vec![b'x'; length];
        line.push(b'\n');
        let one_by_one =
            best(|| black_box(&line).iter().position(|&byte| byte == b'\n'));
        let many = best(|| memchr::memchr(b'\n', black_box(&line)));
        println!("{length:>5} {one_by_one:>9.1} {many:>7.1}");
    }
}

/// Nanoseconds that one call takes where nothing disturbs it.
fn best(find: impl Fn() -> Option<usize>) -> f64 {
    let once = |_| {
        let start = Instant::now();
        for _ in 0..REPEATS {
            black_box(find());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(REPEATS)
    };
    (0..10).map(once).fold(f64::INFINITY, f64::min)
}
