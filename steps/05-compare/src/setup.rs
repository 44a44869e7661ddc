//! How and where it is measured, as the results record it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::results::row::Setup;
use crate::runner::Plan;

/// What is known before the first round. `man 5 proc`.
pub(crate) fn setup(plan: &Plan) -> Setup {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().and_then(|n| n.parse().ok());
    let commands = plan.targets.iter();
    Setup {
        date: date(SystemTime::now()),
        version: env!("CARGO_PKG_VERSION").into(),
        kernel: read("/proc/sys/kernel/osrelease").trim().into(),
        processor: processor(&read("/proc/cpuinfo")),
        affinity: plan.affinity.describe(),
        load_average: load.unwrap_or(0.0),
        rounds: plan.rounds,
        timeout: plan.timeout.as_secs_f64(),
        backlog: plan.backlog,
        options: std::env::args().skip(1).collect(),
        commands: commands
            .map(|target| (target.name.clone(), target.command().into()))
            .collect(),
    }
}

fn processor(cpuinfo: &str) -> String {
    let mut lines = cpuinfo.lines();
    let name = lines.find_map(|line| line.strip_prefix("model name"));
    let name = name
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!("{name} x {}", cpuinfo.matches("processor\t").count())
}

/// A time as `2026-11-27 12:34`, in UTC.
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (minutes, mut days) = (seconds / 60 % 1_440, seconds / 86_400);
    let leap = |year: u64| {
        year.is_multiple_of(4)
            && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{year}-{month:02}-{:02} {hour:02}:{minute:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_date_is_that_of_the_calendar() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00");
        assert_eq!(at(951_782_400 + 3_660), "2000-02-29 01:01");
        assert_eq!(at(1_798_675_200 - 1), "2026-12-30 23:59");
    }

    #[test]
    fn the_processor_has_a_name_and_a_count() {
        let text = "processor\t: 0\nmodel name\t: X 1\n\nprocessor\t: 1\n";
        assert_eq!(processor(text), "X 1 x 2");
        assert_eq!(processor(""), "unknown x 0");
    }
}
