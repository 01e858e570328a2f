//! How fast mails go out: at most as SES allows, and slower when SES asks for it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;

/// Slower than one mail in two seconds it never gets: a run that has to wait longer should end.
const SLOWEST: f64 = 0.5;

/// Gives out turns to send, evenly over time, to everybody in the run together.
pub struct Pace(Mutex<State>);

struct State {
    rate: f64,
    turns: Arc<DefaultDirectRateLimiter>,
}

impl Pace {
    /// A pace of so many mails in a second.
    pub fn new(rate: f64) -> Self {
        Self(Mutex::new(State::of(rate)))
    }

    /// Waits for a turn to send one mail.
    pub async fn turn(&self) {
        let turns = Arc::clone(&self.0.lock().turns);
        turns.until_ready().await;
    }

    /// SES asked to slow down: half as fast from now on, for the rest of the run.
    pub fn slow_down(&self) {
        let mut state = self.0.lock();
        *state = State::of(state.rate / 2.0);
    }

    /// Mails in a second.
    pub fn rate(&self) -> f64 {
        self.0.lock().rate
    }
}

impl State {
    fn of(rate: f64) -> Self {
        const AT_ONCE: NonZeroU32 = NonZeroU32::MIN;
        let rate = if rate.is_finite() { rate.max(SLOWEST) } else { SLOWEST };
        let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate)).unwrap_or(Quota::per_second(AT_ONCE)).allow_burst(AT_ONCE);
        Self { rate, turns: Arc::new(RateLimiter::direct(quota)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn turns_of_everybody_together_come_no_faster_than_the_pace() {
        let pace = Pace::new(200.0);
        let begin = Instant::now();
        join_all((0..21).map(|_| pace.turn())).await;
        assert!(begin.elapsed() >= Duration::from_millis(100), "21 turns in {:?}", begin.elapsed());
    }

    #[test]
    fn it_slows_down_by_halves_to_the_slowest_pace() {
        let pace = Pace::new(14.0);
        pace.slow_down();
        assert!((pace.rate() - 7.0).abs() < f64::EPSILON);
        (0..20).for_each(|_| pace.slow_down());
        assert!((pace.rate() - SLOWEST).abs() < f64::EPSILON);
        assert!((Pace::new(0.0).rate() - SLOWEST).abs() < f64::EPSILON);
        assert!((Pace::new(f64::NAN).rate() - SLOWEST).abs() < f64::EPSILON);
    }
}
