//! A time that is moved forward for every request, without a word to the runtime's timer: the alarm goes off too early
//! now and then, and is set again.

use std::pin::Pin;
use std::task::Context;

use tokio::time::{Instant, Sleep, sleep_until};

/// An alarm.
#[derive(Debug)]
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    pub(super) fn new(due: Instant) -> Alarm {
        Alarm(Box::pin(sleep_until(due)))
    }

    /// Whether a moment has passed. If not, whoever asks is woken then.
    pub(super) fn has_passed(&mut self, due: Instant, context: &mut Context<'_>) -> bool {
        // The timer says nothing to a task that has used up its turn, as one has that is told more than it can read.
        if Instant::now() >= due {
            return true;
        }
        if self.0.deadline() > due {
            self.0.as_mut().reset(due);
        }
        while self.0.as_mut().poll(context).is_ready() {
            if Instant::now() >= due {
                return true;
            }
            self.0.as_mut().reset(due);
        }
        false
    }
}
