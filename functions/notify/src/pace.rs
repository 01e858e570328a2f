//! How fast mails go out: at most as SES allows, and slower when SES asks for it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

/// Slower than one mail in two seconds it never gets: a run that has to wait longer should end.
const SLOWEST: f64 = 0.5;

/// Mails under way at once are told to slow down at once: that is one request, not many.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// Mails on end that SES took, after which it may go faster again.
const STREAK: u32 = 10;

/// How much faster then.
const RECOVERY: f64 = 1.25;

/// Gives out turns to send, evenly over time, to everybody in the run together.
pub struct Pace {
    allowed: f64,
    state: Mutex<State>,
}

struct State {
    rate: f64,
    turns: Arc<DefaultDirectRateLimiter>,
    slowed_down_at: Option<Instant>,
    streak: u32,
}

impl Pace {
    /// A pace of so many mails in a second.
    pub fn new(rate: f64) -> Self {
        let allowed = if rate.is_finite() {
            rate.max(SLOWEST)
        } else {
            SLOWEST
        };
        Self {
            allowed,
            state: Mutex::new(State {
                rate: allowed,
                turns: turns(allowed),
                slowed_down_at: None,
                streak: 0,
            }),
        }
    }

    /// Waits for a turn to send one mail.
    pub async fn turn(&self) {
        let turns = Arc::clone(&self.state.lock().turns);
        turns.until_ready().await;
    }

    /// SES asked to slow down: half as fast from now on.
    pub fn slow_down(&self) {
        let mut state = self.state.lock();
        state.streak = 0;
        if state
            .slowed_down_at
            .is_none_or(|at| at.elapsed() >= ONE_REQUEST)
        {
            state.slowed_down_at = Some(Instant::now());
            let slower = f64::max(state.rate / 2.0, SLOWEST);
            state.set(slower);
        }
    }

    /// SES took a mail: after some on end a little faster again, up to what is allowed.
    pub fn went_well(&self) {
        let mut state = self.state.lock();
        if state.rate < self.allowed {
            state.streak += 1;
            if state.streak >= STREAK {
                state.streak = 0;
                let faster = f64::min(state.rate * RECOVERY, self.allowed);
                state.set(faster);
            }
        }
    }

    /// Mails in a second.
    pub fn rate(&self) -> f64 {
        self.state.lock().rate
    }
}

impl State {
    fn set(&mut self, rate: f64) {
        self.rate = rate;
        self.turns = turns(rate);
    }
}

fn turns(rate: f64) -> Arc<DefaultDirectRateLimiter> {
    const AT_ONCE: NonZeroU32 = NonZeroU32::MIN;
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate))
        .unwrap_or(Quota::per_second(AT_ONCE))
        .allow_burst(AT_ONCE);
    Arc::new(RateLimiter::direct(quota))
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tokio::time::advance;

    use super::*;

    #[tokio::test]
    async fn concurrent_sends_do_not_exceed_the_rate() {
        let pace = Pace::new(200.0);
        let begin = Instant::now();
        join_all((0..21).map(|_| pace.turn())).await;
        assert!(
            begin.elapsed() >= Duration::from_millis(100),
            "21 turns in {:?}",
            begin.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_slows_down_by_halves_to_the_slowest_pace() {
        let pace = Pace::new(14.0);
        pace.slow_down();
        assert!((pace.rate() - 7.0).abs() < f64::EPSILON);
        for _ in 0..20 {
            advance(ONE_REQUEST).await;
            pace.slow_down();
        }
        assert!((pace.rate() - SLOWEST).abs() < f64::EPSILON);
        assert!((Pace::new(0.0).rate() - SLOWEST).abs() < f64::EPSILON);
        assert!((Pace::new(f64::NAN).rate() - SLOWEST).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_throttling_halves_the_rate_once() {
        let pace = Pace::new(14.0);
        (0..8).for_each(|_| pace.slow_down());
        assert!((pace.rate() - 7.0).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn it_recovers_while_mails_go_well_and_never_beyond_what_is_allowed() {
        let pace = Pace::new(14.0);
        pace.slow_down();
        (0..STREAK).for_each(|_| pace.went_well());
        assert!((pace.rate() - 8.75).abs() < f64::EPSILON);
        (0..100).for_each(|_| pace.went_well());
        assert!((pace.rate() - 14.0).abs() < f64::EPSILON);
    }
}
