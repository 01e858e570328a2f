//! The send rate: at most what SES allows, and less while SES throttles.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

/// The lowest rate, in e-mails per second. A run that SES throttles at this rate ends instead.
const MIN_RATE: f64 = 0.5;

/// Throttling errors within this time halve the rate once: they belong to concurrent sends.
const THROTTLE_DEBOUNCE: Duration = Duration::from_secs(1);

/// Consecutive successful sends after which the rate is raised.
const SUCCESSES_TO_SPEED_UP: u32 = 10;

/// Factor by which the rate is raised.
const SPEED_UP_FACTOR: f64 = 1.25;

/// Requests that may be sent without waiting.
const BURST: NonZeroU32 = NonZeroU32::MIN;

/// Spaces the e-mails of all concurrent sends of a run evenly over time.
pub struct SendRateLimiter {
    max_rate: f64,
    state: Mutex<State>,
}

struct State {
    rate: f64,
    limiter: Arc<DefaultDirectRateLimiter>,
    slowed_down_at: Option<Instant>,
    consecutive_successes: u32,
}

impl SendRateLimiter {
    /// A limiter of `max_rate` e-mails per second.
    pub fn new(max_rate: f64) -> Self {
        let max_rate = if max_rate.is_finite() {
            max_rate.max(MIN_RATE)
        } else {
            MIN_RATE
        };
        Self {
            max_rate,
            state: Mutex::new(State {
                rate: max_rate,
                limiter: limiter(max_rate),
                slowed_down_at: None,
                consecutive_successes: 0,
            }),
        }
    }

    /// Waits until one e-mail may be sent.
    pub async fn acquire(&self) {
        let limiter = Arc::clone(&self.state.lock().limiter);
        limiter.until_ready().await;
    }

    /// SES throttled an e-mail: halves the rate, down to the minimum.
    pub fn on_throttled(&self) {
        let mut state = self.state.lock();
        state.consecutive_successes = 0;
        if state
            .slowed_down_at
            .is_none_or(|at| at.elapsed() >= THROTTLE_DEBOUNCE)
        {
            state.slowed_down_at = Some(Instant::now());
            let rate = f64::max(state.rate / 2.0, MIN_RATE);
            state.set_rate(rate);
        }
    }

    /// SES accepted an e-mail: after several in a row, raises a reduced rate, up to the maximum.
    pub fn on_success(&self) {
        let mut state = self.state.lock();
        if state.rate < self.max_rate {
            state.consecutive_successes += 1;
            if state.consecutive_successes >= SUCCESSES_TO_SPEED_UP {
                state.consecutive_successes = 0;
                let rate = f64::min(state.rate * SPEED_UP_FACTOR, self.max_rate);
                state.set_rate(rate);
            }
        }
    }

    /// The current rate in e-mails per second.
    pub fn rate(&self) -> f64 {
        self.state.lock().rate
    }
}

impl State {
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        self.limiter = limiter(rate);
    }
}

fn limiter(rate: f64) -> Arc<DefaultDirectRateLimiter> {
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate))
        .unwrap_or(Quota::per_second(BURST))
        .allow_burst(BURST);
    Arc::new(RateLimiter::direct(quota))
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tokio::time::advance;

    use super::*;

    #[tokio::test]
    async fn concurrent_sends_do_not_exceed_the_rate() {
        let limiter = SendRateLimiter::new(200.0);
        let start = Instant::now();

        join_all((0..21).map(|_| limiter.acquire())).await;

        assert!(
            start.elapsed() >= Duration::from_millis(100),
            "21 e-mails in {:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_halves_the_rate_down_to_the_minimum() {
        let limiter = SendRateLimiter::new(14.0);

        limiter.on_throttled();
        assert!((limiter.rate() - 7.0).abs() < f64::EPSILON);

        for _ in 0..20 {
            advance(THROTTLE_DEBOUNCE).await;
            limiter.on_throttled();
        }
        assert!((limiter.rate() - MIN_RATE).abs() < f64::EPSILON);
        assert!((SendRateLimiter::new(0.0).rate() - MIN_RATE).abs() < f64::EPSILON);
        assert!((SendRateLimiter::new(f64::NAN).rate() - MIN_RATE).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_throttling_halves_the_rate_once() {
        let limiter = SendRateLimiter::new(14.0);

        (0..8).for_each(|_| limiter.on_throttled());

        assert!((limiter.rate() - 7.0).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn successes_raise_the_rate_up_to_the_maximum() {
        let limiter = SendRateLimiter::new(14.0);
        limiter.on_throttled();

        (0..SUCCESSES_TO_SPEED_UP).for_each(|_| limiter.on_success());
        assert!((limiter.rate() - 8.75).abs() < f64::EPSILON);

        (0..100).for_each(|_| limiter.on_success());
        assert!((limiter.rate() - 14.0).abs() < f64::EPSILON);
    }
}
