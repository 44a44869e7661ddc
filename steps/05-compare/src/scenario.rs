//! What the users do: the loads, as data.
//!
//! The article names three: 10 users with 10 requests a second, 100 with 100,
//! 1000 with 1000. Its Locust file has two kinds of user, one that thinks for
//! 0.1 to 1 s and one that asks every 50 ms. Those two at their own pace would
//! come to far more than the rates it names (1000 users that ask every 50 ms
//! are 20,000 requests a second), so in the three loads half of the users are
//! of either kind, and both are slowed down to one request a second each.

use std::time::Duration;

use crate::results::Load;

/// When a user sends its next request.
// ANCHOR: pacing
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// After the reply and a think time, uniform between the two: the article's
    /// `PingUser`. A slow server is asked less often.
    Think(Duration, Duration),
    /// On a fixed schedule, whatever the server does: the article's
    /// `ConstantUser`. Who is late sends late, and waits since it was due.
    Every(Duration),
    /// As soon as the reply is there: a closed loop, which finds the capacity.
    AtOnce,
    /// One request, and no more.
    Once,
}
// ANCHOR_END: pacing

/// How long a connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    /// For one request, as in the article.
    PerRequest,
    /// As long as the user is there.
    Kept,
}

/// One load, the same for every server.
// ANCHOR: scenario
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) users: usize,
    pub(crate) connections: Connections,
    /// Requests that a user has on the way at a time.
    pub(crate) in_flight: usize,
    /// The kinds of user: the users take them in turn.
    pub(crate) pacings: &'static [Pacing],
    /// How long it is measured, where that is not the same for all.
    pub(crate) duration: Option<Duration>,
}
// ANCHOR_END: scenario

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The article's two kinds of user, at one request a second each.
const ONCE_A_SECOND: &[Pacing] =
    &[Pacing::Think(ms(182), ms(1_818)), Pacing::Every(ms(1_000))];

const PING_USER: &[Pacing] = &[Pacing::Think(ms(100), ms(1_000))];
const CONSTANT_USER: &[Pacing] = &[Pacing::Every(ms(50))];
const AT_ONCE: &[Pacing] = &[Pacing::AtOnce];
const ONCE: &[Pacing] = &[Pacing::Once];

/// All loads. The article's, named and unnamed; then those that find what a
/// server can take, and what a connection costs it.
// ANCHOR: loads
pub(crate) const SCENARIOS: [Scenario; 18] = [
    Scenario::new("low", 10, ONCE_A_SECOND),
    Scenario::new("medium", 100, ONCE_A_SECOND),
    Scenario::new("high", 1_000, ONCE_A_SECOND),
    Scenario::new("soak", 100, ONCE_A_SECOND).lasting(30 * 60),
    Scenario::new("ping-user", 100, PING_USER),
    Scenario::new("constant-user", 100, CONSTANT_USER),
    Scenario::new("burst", 1_000, ONCE),
    Scenario::new("churn", 32, AT_ONCE),
    Scenario::new("keep-alive-1", 1, AT_ONCE).kept(1),
    Scenario::new("keep-alive-10", 10, AT_ONCE).kept(1),
    Scenario::new("keep-alive-100", 100, AT_ONCE).kept(1),
    Scenario::new("keep-alive-1000", 1_000, AT_ONCE).kept(1),
    Scenario::new("pipelined-1", 1, AT_ONCE).kept(16),
    Scenario::new("pipelined-50", 50, AT_ONCE).kept(16),
    Scenario::new("idle-1", 1, ONCE).kept(1),
    Scenario::new("idle-100", 100, ONCE).kept(1),
    Scenario::new("idle-1000", 1_000, ONCE).kept(1),
    Scenario::new("idle-10000", 10_000, ONCE).kept(1),
];
// ANCHOR_END: loads

impl Scenario {
    /// A connection per request, as in the article.
    const fn new(
        name: &'static str,
        users: usize,
        pacings: &'static [Pacing],
    ) -> Self {
        let connections = Connections::PerRequest;
        Self { name, users, connections, in_flight: 1, pacings, duration: None }
    }

    const fn kept(self, in_flight: usize) -> Self {
        Self { connections: Connections::Kept, in_flight, ..self }
    }

    const fn lasting(self, seconds: u64) -> Self {
        Self { duration: Some(Duration::from_secs(seconds)), ..self }
    }

    /// Whether more than one user is connected at a time, and stays so: a
    /// server of one client at a time would never get to the others.
    pub(crate) fn needs_concurrency(&self) -> bool {
        self.connections == Connections::Kept && self.users > 1
    }

    pub(crate) fn pacing(&self, user: usize) -> Pacing {
        self.pacings[user % self.pacings.len()]
    }

    /// One request each and no more: what is measured ends with the last reply.
    pub(crate) fn is_one_shot(&self) -> bool {
        self.pacings == [Pacing::Once]
    }

    /// Whether the users set the pace, and not the server.
    pub(crate) fn is_paced(&self) -> bool {
        self.offered_rate() > 0.0
    }

    /// Whether it counts from the first request on. A closed loop of new
    /// connections begins with all of them at once: those that come to grief
    /// then would be away while it counts.
    pub(crate) fn counts_at_once(&self) -> bool {
        let new = self.connections == Connections::PerRequest;
        self.is_one_shot() || new && self.pacings == [Pacing::AtOnce]
    }

    /// The load as the reports name it.
    pub(crate) fn load(&self) -> Load {
        let kept = self.connections == Connections::Kept;
        Load {
            name: self.name.into(),
            description: self.describe(),
            connections: self.users,
            paced: self.is_paced(),
            idle: self.is_one_shot() && kept,
        }
    }

    fn describe(&self) -> String {
        let users = self.users;
        let connections = match (self.connections, self.in_flight) {
            (Connections::PerRequest, _) => "a connection per request".into(),
            (Connections::Kept, 1) => "connections kept open".into(),
            (Connections::Kept, n) => {
                format!("connections kept open, {n} requests in flight on each")
            }
        };
        let pace = match self.pacings {
            [Pacing::AtOnce] => "each asks again at once".into(),
            [Pacing::Once] => "one request each".into(),
            _ => format!("{:.0} requests a second", self.offered_rate()),
        };
        let users =
            if users == 1 { "1 user".into() } else { format!("{users} users") };
        format!("{users}, {pace}, {connections}")
    }

    /// Requests a second that the users send if no reply takes any time.
    fn offered_rate(&self) -> f64 {
        let rates = (0..self.users).map(|user| match self.pacing(user) {
            Pacing::Think(from, to) => 2.0 / (from + to).as_secs_f64(),
            Pacing::Every(period) => 1.0 / period.as_secs_f64(),
            Pacing::AtOnce | Pacing::Once => 0.0,
        });
        rates.sum()
    }
}
