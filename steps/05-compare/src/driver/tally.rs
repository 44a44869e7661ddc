//! What the driver counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::fault::Fault;
use crate::kernel::Counters;
use crate::meter::{CpuTime, Footprint};

/// How often server and kernel are looked at, and the width of a [`Slot`].
pub(crate) const SAMPLE_PERIOD: Duration = Duration::from_millis(50);
/// What a request takes on top of the wait for a SYN that is sent again.
const A_LITTLE: Duration = Duration::from_millis(150);
/// A microsecond's thousandth up to a minute, to three digits.
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// All that one measurement saw.
// ANCHOR: tally
#[derive(Debug)]
pub(crate) struct Tally {
    /// Requests that are due from here on count.
    begin: Option<Instant>,
    /// Requests that are due from here on are not sent.
    end: Option<Instant>,
    /// In nanoseconds, of all requests that were due in between.
    pub(crate) latencies: Histogram<u64>,
    /// Requests that were due before the end and failed.
    pub(crate) faults: BTreeMap<Fault, u64>,
    /// Replies that came in between, and what they cost.
    pub(crate) served: u64,
    /// All replies that ever came.
    pub(crate) answered: u64,
    pub(crate) users: usize,
    /// Ctrl-C came before the end.
    pub(crate) interrupted: bool,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: CpuTime,
    /// How late, in nanoseconds, this program itself sent what was due.
    pub(crate) lateness: Histogram<u64>,
    /// What the kernel counted, up to the last reply.
    pub(crate) counters: Counters,
    pub(crate) footprint_at_begin: Footprint,
    pub(crate) slots: Vec<Slot>,
}
// ANCHOR_END: tally

/// A short stretch of the time that was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    /// The longest latency of the requests that were due in it.
    pub(crate) slowest: Duration,
    /// Since the begin.
    pub(crate) counters: Counters,
    pub(crate) footprint: Footprint,
}

impl Tally {
    pub(crate) fn new(users: usize) -> Self {
        Self {
            begin: None,
            end: None,
            latencies: histogram(),
            faults: BTreeMap::new(),
            served: 0,
            answered: 0,
            users,
            interrupted: false,
            elapsed: Duration::ZERO,
            cpu: CpuTime::default(),
            lateness: histogram(),
            counters: Counters::default(),
            footprint_at_begin: Footprint::default(),
            slots: Vec::new(),
        }
    }

    pub(crate) fn begin(&mut self, now: Instant, footprint: Footprint) {
        self.begin = Some(now);
        self.footprint_at_begin = footprint;
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.end = Some(now);
        self.elapsed = self.begin.map_or(Duration::ZERO, |begin| now - begin);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begin.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it is too late to send what was due at `due`.
    pub(crate) fn is_past(&self, due: Instant) -> bool {
        self.end.is_some_and(|end| due >= end)
    }

    /// Whether what was due at `due` belongs to what is measured.
    fn counts(&self, due: Instant) -> bool {
        self.begin.is_some_and(|begin| due >= begin) && !self.is_past(due)
    }

    /// A good reply came at `now` to what was due at `due`.
    // ANCHOR: reply
    pub(crate) fn reply(&mut self, due: Instant, now: Instant) {
        self.answered += 1;
        if self.has_begun() && !self.has_ended() {
            self.served += 1;
        }
        if self.counts(due) {
            let latency = now - due;
            self.latencies.saturating_record(nanoseconds(latency));
            let slot = self.slot(due);
            slot.slowest = slot.slowest.max(latency);
        }
    }
    // ANCHOR_END: reply

    /// What was due at `due` had no good reply. There is no warm-up for that.
    pub(crate) fn fault(&mut self, due: Instant, fault: Fault) {
        if !self.is_past(due) {
            *self.faults.entry(fault).or_default() += 1;
        }
    }

    /// This program itself was so late with what was due at `due`.
    pub(crate) fn late(&mut self, due: Instant, now: Instant) {
        if self.counts(due) {
            self.lateness.saturating_record(nanoseconds(now - due));
        }
    }

    /// Notes what a look at server and kernel showed at `now`.
    pub(crate) fn sample(
        &mut self,
        now: Instant,
        counters: Counters,
        footprint: Footprint,
    ) {
        if self.has_begun() {
            let slot = self.slot(now);
            slot.counters = counters;
            slot.footprint = footprint;
        }
    }

    fn slot(&mut self, at: Instant) -> &mut Slot {
        let begin = self.begin.unwrap_or(at);
        let index = (at - begin).div_duration_f64(SAMPLE_PERIOD) as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, Slot::default);
        }
        &mut self.slots[index]
    }

    pub(crate) fn failed(&self) -> u64 {
        self.faults.values().sum()
    }

    /// What failed, in words.
    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.faults.iter().map(|(f, &count)| (f.to_string(), count)).collect()
    }

    /// Replies that took so long.
    fn between(&self, from: Duration, to: Duration) -> u64 {
        self.latencies.count_between(nanoseconds(from), nanoseconds(to))
    }

    /// Replies that took 40 ms, as far as they are more than those that took
    /// a little less or more: a machine that is busy otherwise makes replies
    /// late by any amount, a delayed acknowledgement by that one.
    pub(crate) fn forty_ms(&self) -> u64 {
        let ms = Duration::from_millis;
        let around =
            self.between(ms(28), ms(39)) + self.between(ms(50), ms(61));
        self.between(ms(39), ms(50)).saturating_sub(around)
    }

    /// For each number of whole seconds: replies that took so long, and a
    /// little. That is how a SYN looks which the kernel had to send again.
    pub(crate) fn whole_seconds(&self) -> BTreeMap<u64, u64> {
        let longest = self.latencies.max() / 1_000_000_000;
        let replies = |second| {
            let from = Duration::from_secs(second);
            self.between(from, from + A_LITTLE)
        };
        (1..=longest)
            .map(|second| (second, replies(second)))
            .filter(|&(_, count)| count > 0)
            .collect()
    }
}

/// An empty histogram for nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("valid bounds")
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn only_what_was_due_between_begin_and_end_counts() {
        let start = Instant::now();
        let mut tally = Tally::new(1);
        tally.reply(start, start + MS); // the warm-up
        tally.begin(start + 2 * MS, Footprint::default());
        tally.reply(start + MS, start + 3 * MS); // served, due before
        tally.reply(start + 3 * MS, start + 4 * MS);
        tally.end(start + 5 * MS);
        tally.reply(start + 4 * MS, start + 1_004 * MS); // answered after
        tally.fault(start + 4 * MS, Fault::TimedOut);
        tally.fault(start + 6 * MS, Fault::TimedOut);
        assert_eq!((tally.served, tally.failed()), (2, 1));
        assert_eq!(tally.latencies.len(), 2);
        let slowest = Duration::from_nanos(tally.latencies.max());
        assert!(slowest >= 1_000 * MS, "{slowest:?}");
        assert_eq!(tally.slots[0].slowest, 1_000 * MS);
        assert_eq!(tally.whole_seconds(), BTreeMap::from([(1, 1)]));
    }
}
