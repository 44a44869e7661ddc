//! What the users do: the loads, as data.
//!
//! The article names three: 10 users with 10 requests a second, 100 with 100,
//! 1000 with 1000. Its Locust file has two kinds of user, one that thinks for
//! 0.1 to 1 s and one that sends every 50 ms. Those two at their own pace would
//! come to far more than the rates it names (1000 users that send every 50 ms
//! are 20,000 requests a second), so in the three loads half of the users are
//! of either kind, and both are slowed down to one request a second each.

use std::time::Duration;

use super::pacing::Pacing;

/// One load, the same for every server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) users: usize,
    /// A user keeps its connection. Otherwise a connection lives for one
    /// request, as in the article.
    pub(crate) kept: bool,
    /// Requests that a user has in flight at a time.
    pub(crate) in_flight: usize,
    /// What users with an even and with an odd number do.
    pub(crate) pacings: [Pacing; 2],
    /// How long it is measured in one round.
    pub(crate) duration: Duration,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The article's two kinds of user, at one request a second each.
const ONCE_A_SECOND: [Pacing; 2] =
    [Pacing::ThinkTime(ms(182), ms(1_818)), Pacing::ConstantRate(ms(1_000))];
const PING_USER: [Pacing; 2] = [Pacing::ThinkTime(ms(100), ms(1_000)); 2];
const CONSTANT_USER: [Pacing; 2] = [Pacing::ConstantRate(ms(50)); 2];
const CLOSED_LOOP: [Pacing; 2] = [Pacing::ClosedLoop; 2];
const ONE_SHOT: [Pacing; 2] = [Pacing::OneShot; 2];

/// All loads. The article's, named and unnamed; then those that find what a
/// server can take, and what a connection costs it.
pub(crate) const SCENARIOS: [Scenario; 18] = [
    Scenario::new("low", 10, ONCE_A_SECOND),
    Scenario::new("medium", 100, ONCE_A_SECOND),
    Scenario::new("high", 1_000, ONCE_A_SECOND),
    Scenario::new("soak", 100, ONCE_A_SECOND).lasting(30 * 60),
    Scenario::new("ping-user", 100, PING_USER),
    Scenario::new("constant-user", 100, CONSTANT_USER),
    Scenario::new("burst", 1_000, ONE_SHOT),
    Scenario::new("churn", 32, CLOSED_LOOP),
    Scenario::new("keep-alive-1", 1, CLOSED_LOOP).kept(1),
    Scenario::new("keep-alive-10", 10, CLOSED_LOOP).kept(1),
    Scenario::new("keep-alive-100", 100, CLOSED_LOOP).kept(1),
    Scenario::new("keep-alive-1000", 1_000, CLOSED_LOOP).kept(1),
    Scenario::new("pipelined-1", 1, CLOSED_LOOP).kept(16),
    Scenario::new("pipelined-50", 50, CLOSED_LOOP).kept(16),
    Scenario::new("idle-1", 1, ONE_SHOT).kept(1),
    Scenario::new("idle-100", 100, ONE_SHOT).kept(1),
    Scenario::new("idle-1000", 1_000, ONE_SHOT).kept(1),
    Scenario::new("idle-10000", 10_000, ONE_SHOT).kept(1),
];

impl Scenario {
    /// A connection per request, as in the article. Three loads, four turns
    /// and five rounds of this length take about 40 s.
    pub(crate) const fn new(
        name: &'static str,
        users: usize,
        pacings: [Pacing; 2],
    ) -> Self {
        let (kept, in_flight, duration) = (false, 1, ms(600));
        Self { name, users, kept, in_flight, pacings, duration }
    }

    pub(crate) const fn kept(self, in_flight: usize) -> Self {
        Self { kept: true, in_flight, ..self }
    }

    const fn lasting(self, seconds: u64) -> Self {
        Self { duration: Duration::from_secs(seconds), ..self }
    }

    pub(crate) fn pacing(&self, user: usize) -> Pacing {
        self.pacings[user % 2]
    }

    /// One request each and no more: what is measured ends with the last reply.
    pub(crate) fn is_one_shot(&self) -> bool {
        self.pacings == ONE_SHOT
    }

    /// Connections that do nothing: what they cost is what is measured.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_one_shot() && self.kept
    }

    pub(crate) fn is_paced(&self) -> bool {
        self.pacings[0].is_paced()
    }

    /// Whether it counts from the first request on. A closed loop of new
    /// connections begins with all of them at once: connections that fail then
    /// would be missing from the measurement.
    pub(crate) fn counts_at_once(&self) -> bool {
        self.is_one_shot() || !self.kept && self.pacings == CLOSED_LOOP
    }

    /// The requests a second that Little's law gives for a mean latency of
    /// `latency` seconds; `None` for users that send only one.
    pub(crate) fn expected_rps(&self, latency: f64) -> Option<f64> {
        let rate = |user| self.pacing(user).rate(latency, self.in_flight);
        (0..self.users).map(rate).sum()
    }

    /// The load in words.
    pub(crate) fn describe(&self) -> String {
        let plural = if self.users == 1 { "" } else { "s" };
        let pace = match self.pacings {
            CLOSED_LOOP => "each sends again at once".into(),
            ONE_SHOT => "one request each".into(),
            _ => {
                let rate = self.expected_rps(0.0).unwrap_or(0.0);
                format!("{rate:.0} requests a second")
            }
        };
        let connections = match (self.kept, self.in_flight) {
            (false, _) => "a connection per request".into(),
            (true, 1) => "connections kept open".into(),
            (true, n) => {
                format!("connections kept open, {n} requests in flight on each")
            }
        };
        format!("{} user{plural}, {pace}, {connections}", self.users)
    }
}
