//! What `spread` makes of a server's threads and epoll sets.

use super::*;

#[test]
fn the_fuller_and_the_busier_loop_come_first() {
    let work = vec![Duration::from_secs(1), Duration::from_secs(3)];
    let row = row("", "", vec![7, 10], work, vec![vec![0.1]]);
    assert_eq!(row.connections, [10, 7]);
    assert_eq!(row.busiest_percent, 75.0);
}
