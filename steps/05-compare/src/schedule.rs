//! A user: when its requests are due.

use std::time::{Duration, Instant};

use crate::scenario::Pacing;

/// Where a user's next request comes from.
// ANCHOR: user
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pacing: Pacing,
    random: Random,
}

impl Schedule {
    pub(crate) fn new(pacing: Pacing, random: Random) -> Self {
        Self { pacing, random }
    }

    /// How long after the start the first request is due, for user number
    /// `index` of `count`: as if all had been at it for long already. Without
    /// this a thousand users would knock in the same instant.
    pub(crate) fn first(&mut self, index: usize, count: usize) -> Duration {
        match self.pacing {
            Pacing::Think(from, to) => {
                let think = self.random.lived_through(from, to);
                think.mul_f64(self.random.fraction())
            }
            Pacing::Every(period) => {
                period.mul_f64(index as f64 / count as f64)
            }
            Pacing::AtOnce | Pacing::Once => Duration::ZERO,
        }
    }

    /// When the request after the one that was due at `due` and answered at
    /// `now` is due; `None` for never.
    pub(crate) fn next(
        &mut self,
        due: Instant,
        now: Instant,
    ) -> Option<Instant> {
        match self.pacing {
            Pacing::Think(from, to) => {
                Some(now + self.random.between(from, to))
            }
            // Not `now + period`: the schedule does not wait for the server.
            Pacing::Every(period) => Some(due + period),
            Pacing::AtOnce => Some(now),
            Pacing::Once => None,
        }
    }
}
// ANCHOR_END: user

/// Numbers that look random and are the same for every server: the splitmix64
/// generator of Steele, Lea and Flood.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform from 0 to 1.
    fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: Duration, to: Duration) -> Duration {
        from + (to - from).mul_f64(self.fraction())
    }

    /// The think time in which a user is met who has been thinking on and off
    /// for long: one is met in a long one more often than in a short one.
    fn lived_through(&mut self, from: Duration, to: Duration) -> Duration {
        let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
        let square = from * from + self.fraction() * (to * to - from * from);
        Duration::from_secs_f64(square.sqrt())
    }

    /// Puts `items` into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.number() % (last as u64 + 1);
            items.swap(last, chosen as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(pacing: Pacing) -> Schedule {
        Schedule::new(pacing, Random::new(7))
    }

    #[test]
    fn a_fixed_schedule_does_not_wait_for_the_server() {
        let due = Instant::now();
        let late = due + 3 * SECOND;
        let next = schedule(Pacing::Every(SECOND)).next(due, late);
        assert_eq!(next, Some(due + SECOND));
    }

    #[test]
    fn a_thinking_user_waits_for_the_reply_and_then_thinks() {
        let (from, to) = (SECOND / 10, SECOND);
        let mut thinker = schedule(Pacing::Think(from, to));
        let (due, now) = (Instant::now(), Instant::now() + SECOND);
        for _ in 0..1_000 {
            let next = thinker.next(due, now).expect("never stops");
            assert!((now + from..=now + to).contains(&next));
        }
    }

    #[test]
    fn a_single_request_has_no_successor() {
        let now = Instant::now();
        assert_eq!(schedule(Pacing::Once).next(now, now), None);
    }

    #[test]
    fn users_on_a_schedule_start_evenly_spread() {
        let first = |index| schedule(Pacing::Every(SECOND)).first(index, 4);
        assert_eq!([first(0), first(1)], [Duration::ZERO, SECOND / 4]);
    }

    #[test]
    fn thinking_users_arrive_at_their_usual_rate_from_the_start() {
        // Uniform from 0.1 to 1 s: 1000 / 0.55 arrivals in the first second,
        // and of the first ones 10 % of that in its first tenth.
        let pacing = Pacing::Think(SECOND / 10, SECOND);
        let early = (0..10_000)
            .map(|seed| Schedule::new(pacing, Random::new(seed)).first(0, 1))
            .filter(|&first| first < SECOND / 10)
            .count();
        assert!((1_700..1_940).contains(&early), "{early}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<_> = (0..100).collect();
        Random::new(1).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..100));
    }
}
