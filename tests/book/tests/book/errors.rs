//! The table of errors: names, numbers and kinds are what this system says.

use std::io;

use nix::errno::Errno;

use crate::pages::Pages;

/// The name, the number and the kind in a row of the table:
/// ``| EAGAIN, EWOULDBLOCK | 11 | `WouldBlock` | …``.
fn row(line: &str) -> Option<(&str, i32, &str)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?.split(',').next()?;
    let number = cells.next()?.parse().ok()?;
    Some((name, number, cells.next()?.trim_matches('`')))
}

pub(crate) fn are_as_they_say(pages: &Pages) -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return Vec::new(); // the numbers are those of Linux
    }
    let page = pages.find("errno.md").map_or("", |page| page.text.as_str());
    let rows: Vec<_> = page.lines().filter_map(row).collect();
    if rows.is_empty() {
        return vec!["errno.md has no table".into()];
    }
    let problem = |(name, number, kind): (&str, i32, &str)| {
        let ours = format!("{:?}", Errno::from_raw(number));
        let kind_of = io::Error::from_raw_os_error(number).kind();
        let kind_of = format!("{kind_of:?}");
        (ours != name || kind_of != kind).then(|| {
            format!(
                "errno.md: {name}, {kind}: the system says that {number} is \
                 {ours}, {kind_of}"
            )
        })
    };
    rows.into_iter().filter_map(problem).collect()
}
