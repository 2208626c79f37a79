//! Holding a message that provably reached nobody, outside the client's channel, until it may be tried again.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::nats::Nats;

const FIRST: Duration = Duration::from_millis(25);
const LONGEST: Duration = Duration::from_millis(500);

/// The pauses between tries.
#[derive(Debug)]
pub(super) struct Pause {
    next: Duration,
}

impl Pause {
    pub(super) fn new() -> Pause {
        Pause { next: FIRST }
    }

    /// Waits for the next try: for the connection if there is none, else for a pause that doubles.
    /// `false` if there is no time left before `until`.
    pub(super) async fn wait(&mut self, nats: &Nats, until: Instant) -> bool {
        if Instant::now() >= until {
            return false;
        }
        if !nats.is_connected() {
            return nats.connected(until).await;
        }
        let pause = self.next.mul_f32(0.5 + fastrand::f32() / 2.0);
        self.next = (self.next * 2).min(LONGEST);
        let resume = Instant::now() + pause;
        sleep_until(resume.min(until)).await;
        resume < until
    }
}
