//! When a user's next request is due.

use std::time::{Duration, Instant};

use fastrand::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// After the reply and a think time, uniform between the two: the article's
    /// `PingUser`. A slow server gets fewer requests.
    ThinkTime(Duration, Duration),
    /// On a fixed schedule, whatever the server does: the article's
    /// `ConstantUser`. What is sent late has waited since it was due.
    ConstantRate(Duration),
    /// As soon as the reply is there: a closed loop, which finds the capacity.
    ClosedLoop,
    /// One request, and no more.
    OneShot,
}

impl Pacing {
    /// How long after the start the first request is due, for user number
    /// `index` of `count`: as if all had been at it for long already. Without
    /// this a thousand users would send in the same instant.
    pub(crate) fn first(
        self,
        index: usize,
        count: usize,
        random: &mut Rng,
    ) -> Duration {
        match self {
            Self::ThinkTime(from, to) => {
                length_biased(from, to, random.f64()).mul_f64(random.f64())
            }
            Self::ConstantRate(period) => {
                period.mul_f64(index as f64 / count as f64)
            }
            Self::ClosedLoop | Self::OneShot => Duration::ZERO,
        }
    }

    /// When the request after the one that was due at `due` and was over at
    /// `now` is due; `None` for never.
    pub(crate) fn next(
        self,
        due: Instant,
        now: Instant,
        random: &mut Rng,
    ) -> Option<Instant> {
        match self {
            Self::ThinkTime(from, to) => {
                Some(now + from + (to - from).mul_f64(random.f64()))
            }
            // Not `now + period`: the schedule does not wait for the server.
            Self::ConstantRate(period) => Some(due + period),
            Self::ClosedLoop => Some(now),
            Self::OneShot => None,
        }
    }

    /// Requests a second of one user, where each reply takes `latency` seconds
    /// and so many are in flight; `None` for a user that sends only one.
    pub(crate) fn rate(self, latency: f64, in_flight: usize) -> Option<f64> {
        match self {
            Self::ThinkTime(from, to) => {
                Some(1.0 / (latency + (from + to).as_secs_f64() / 2.0))
            }
            Self::ConstantRate(period) => {
                Some(in_flight as f64 / latency.max(period.as_secs_f64()))
            }
            Self::ClosedLoop => Some(in_flight as f64 / latency),
            Self::OneShot => None,
        }
    }

    /// Whether the user sets the pace, and not the server.
    pub(crate) fn is_paced(self) -> bool {
        matches!(self, Self::ThinkTime(..) | Self::ConstantRate(_))
    }
}

/// The think time in which a user is met that has been at it for long: more
/// often a long one than a short one. `fraction` is uniform from 0 to 1.
fn length_biased(from: Duration, to: Duration, fraction: f64) -> Duration {
    let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
    let square = from * from + fraction * (to * to - from * from);
    Duration::from_secs_f64(square.sqrt())
}
