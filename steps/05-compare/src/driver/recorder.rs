//! What the driver counts while it runs, and what that comes to.

use std::mem::replace;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use load_client::{ErrorKind, Latency, waited_for_core};
use nix::unistd::Pid;
use protocol::Language;

use crate::load::scenario::Scenario;
use crate::results::latencies::{
    delayed_ack_count, histogram, nanoseconds, retransmit_counts, seconds_at,
};
use crate::results::round::Round;
use crate::target::netstat::{Counters, counted_since};
use crate::target::usage::{CpuTime, Footprint, Meter};

pub(crate) const SAMPLE_PERIOD: Duration = Duration::from_millis(50);
/// Looks at the server take one part in so many of the time.
const LOOKS_PART: u32 = 200;
/// Processes of the server are looked for in one of so many samples.
const LOOKS_PER_SEARCH: u64 = 10;

#[derive(Debug)]
pub(crate) struct Recorder {
    /// Requests that are due from here on count.
    pub(crate) begin: Option<Instant>,
    /// Requests that are due from here on are not sent.
    pub(crate) end: Option<Instant>,
    /// In nanoseconds, of requests that were due in between: until the reply,
    /// and until the others failed.
    replies: Histogram<u64>,
    failures: Histogram<u64>,
    /// How late, in nanoseconds, this program itself sent what was due.
    lateness: Histogram<u64>,
    /// Good replies that came in between, and what they cost.
    served: u64,
    meter: Meter,
    looks: u64,
    /// How long this program had no core, up to the last look.
    waited: Duration,
    next_sample: Option<Instant>,
    cpu_at_begin: CpuTime,
    cpu_at_end: CpuTime,
    footprint_at_begin: Footprint,
    counters_at_begin: Counters,
    scenario: Scenario,
    /// The rest is counted here.
    round: Round,
}

impl Recorder {
    pub(crate) fn new(guard: Pid, scenario: &Scenario) -> Self {
        Self {
            begin: None,
            end: None,
            replies: histogram(),
            failures: histogram(),
            lateness: histogram(),
            served: 0,
            meter: Meter::new(guard),
            looks: 0,
            waited: Duration::ZERO,
            next_sample: None,
            cpu_at_begin: CpuTime::default(),
            cpu_at_end: CpuTime::default(),
            footprint_at_begin: Footprint::default(),
            counters_at_begin: Counters::new(),
            scenario: *scenario,
            round: Round::default(),
        }
    }

    /// Looks at the server before the begin. That takes a while.
    pub(crate) fn look(&mut self) {
        self.counters_at_begin = counted_since(&Counters::new());
        self.footprint_at_begin = self.meter.footprint();
        self.cpu_at_begin = self.meter.cpu_time();
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.cpu_at_end = self.meter.cpu_time();
        self.next_sample = None;
        self.sample(now);
        self.end = Some(now);
    }

    /// How long this program had no core since the last call.
    pub(crate) fn waited_for_core(&mut self) -> Duration {
        let before = replace(&mut self.waited, waited_for_core());
        self.waited.saturating_sub(before)
    }

    pub(crate) fn is_past(&self, due: Instant) -> bool {
        self.end.is_some_and(|end| due >= end)
    }

    /// Whether what was due at `due` belongs to what is measured.
    fn counts(&self, due: Instant) -> bool {
        self.begin.is_some_and(|begin| due >= begin) && !self.is_past(due)
    }

    /// A good reply came at `now` to what was due at `due`.
    pub(crate) fn reply(&mut self, due: Instant, now: Instant) {
        self.round.answered += 1;
        if self.begin.is_some() && self.end.is_none() {
            self.served += 1;
        }
        if self.counts(due) {
            self.replies.saturating_record(nanoseconds(now - due));
        }
    }

    /// What was due at `due` has failed at `now`, which counts as its latency:
    /// at least so long. Failures of the warm-up count, too.
    pub(crate) fn error(
        &mut self,
        due: Instant,
        now: Instant,
        error: ErrorKind,
    ) {
        if !self.is_past(due) {
            if !self.round.interrupted {
                *self.round.errors.entry(describe(error)).or_default() += 1;
            }
            if self.counts(due) {
                self.failures.saturating_record(nanoseconds(now - due));
                self.lower_bound(now - due);
            }
        }
    }

    /// What is given up from here on has not failed: it was not waited for.
    pub(crate) fn interrupt(&mut self) {
        self.round.interrupted = true;
    }

    /// So many replies came beyond what was asked for. Each may have passed for
    /// the reply to another request: then its latency is too short.
    pub(crate) fn unrequested(&mut self, count: u64) {
        if count > 0 {
            let kind = describe(ErrorKind::UnrequestedReply);
            *self.round.errors.entry(kind).or_default() += count;
            self.lower_bound(Duration::ZERO);
        }
    }

    fn lower_bound(&mut self, time: Duration) {
        let (time, shortest) =
            (time.as_secs_f64(), &mut self.round.lower_bounds_from);
        *shortest = Some(shortest.map_or(time, |s| s.min(time)));
    }

    /// This program itself was so late with what it was to send at `due`.
    pub(crate) fn late(&mut self, due: Instant, now: Instant) {
        if self.counts(due) {
            self.lateness.saturating_record(nanoseconds(now - due));
        }
    }

    /// Looks at what the server occupies, and now and then for its processes.
    /// Meanwhile no reply is read, so it looks less often where that takes long.
    pub(crate) fn sample(&mut self, now: Instant) {
        if self.next_sample.is_some_and(|next| now < next) {
            return;
        }
        self.looks += 1;
        if self.looks.is_multiple_of(LOOKS_PER_SEARCH) {
            self.meter.find_processes();
        }
        self.occupied(now, self.meter.footprint());
        let pause = SAMPLE_PERIOD.max(now.elapsed() * LOOKS_PART);
        self.next_sample = Some(now + pause);
    }

    pub(crate) fn occupied(&mut self, now: Instant, footprint: Footprint) {
        let Some(begin) = self.begin else { return };
        let Footprint { memory, threads, ignores_children } = footprint;
        let round = &mut self.round;
        round.cpu_is_bound |= ignores_children;
        round.memory = round.memory.max(memory);
        round.threads = round.threads.max(threads);
        match (now - begin).div_duration_f64(self.scenario.duration) {
            0.1..0.2 => round.memory_early = round.memory_early.max(memory),
            0.9.. => round.memory_late = round.memory_late.max(memory),
            _ => {}
        }
    }

    /// The figures of what was recorded, and all latencies.
    pub(crate) fn finish(self) -> (Round, Histogram<u64>) {
        let mut latencies = self.replies.clone();
        // Both have the same bounds, so they can be added.
        let _ = latencies.add(&self.failures);
        let elapsed = match (self.begin, self.end) {
            (Some(begin), Some(end)) => (end - begin).as_secs_f64(),
            _ => 0.0,
        };
        let used = |of: fn(&CpuTime) -> Duration| {
            // Nothing that is known of where the server is gone.
            let used = of(&self.cpu_at_end);
            used.saturating_sub(of(&self.cpu_at_begin)).as_secs_f64()
        };
        let (cpu, client_cpu) = (used(|c| c.server), used(|c| c.client));
        let (served, start) = (self.served as f64, self.footprint_at_begin);
        let (memory, threads) = (self.round.memory, self.round.threads);
        // What a connection that never had a reply occupies is not known.
        let connections =
            (self.round.answered as f64).min(self.scenario.users as f64);
        let latency =
            Latency::of(&latencies, |ns| ns / 1e9).unwrap_or_default();
        let expected_rps = self.scenario.expected_rps(latency.mean);
        let round = Round {
            seconds: elapsed,
            rps: per(served, elapsed),
            expected_rps: expected_rps.filter(|rps| rps.is_finite()),
            latency,
            requests: latencies.len(),
            succeeded: self.replies.len(),
            // Where none was served in time, one would have cost that or more.
            cpu_per_request: per(cpu, served.max(1.0)),
            cpu: per(cpu, elapsed),
            client_cpu: per(client_cpu, elapsed),
            client_waited: per(used(|c| c.client_waited), elapsed),
            lateness: seconds_at(&self.lateness, 0.99),
            memory_per_connection: per(memory - start.memory, connections),
            threads_per_connection: per(threads - start.threads, connections),
            kernel: counted_since(&self.counters_at_begin),
            retransmit_counts: retransmit_counts(&self.replies),
            delayed_ack_count: delayed_ack_count(&self.replies),
            ..self.round
        };
        (round, latencies)
    }
}

pub(super) fn describe(error: ErrorKind) -> String {
    error.describe(Language::English)
}

/// `amount` for each of `count`; 0 where there is none. JSON has no infinity.
fn per(amount: f64, count: f64) -> f64 {
    if count > 0.0 { amount / count } else { 0.0 }
}
