//! What `spread` makes of a server's threads and epoll sets.

use super::*;

#[test]
fn what_is_no_client_does_not_count() {
    let work = vec![Duration::from_secs(3), Duration::from_secs(1)];
    let row = row("", "", vec![2, 9, 12], work, vec![vec![0.1]]);
    assert_eq!(row.connections, [10, 7]);
    assert_eq!(row.busiest_percent, 75.0);
}
