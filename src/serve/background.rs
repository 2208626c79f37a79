//! What runs beside the requests for as long as the process does: watchers, each told to end when nobody needs it any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Process, Settings};
use crate::gateway::{checks, consumers, drift, evidence, keys, limit};

/// Tasks, and the word on which they end.
#[derive(Debug, Default)]
pub(super) struct Background {
    tasks: JoinSet<()>,
    /// Cancelled once the last request has been answered.
    pub(super) end: CancellationToken,
}

impl Background {
    /// Begins to watch what the settings say.
    pub(super) fn watching(process: &Process, settings: &Settings, stop: &CancellationToken) -> Background {
        let mut background = Background::default();
        let gateway = || Arc::clone(&process.gateway);
        if settings.start_checks {
            background.spawn(checks::watch(gateway()));
            background.spawn(consumers::watch(gateway()));
        }
        if let Some(every) = settings.watch {
            background.spawn(drift::watch(gateway(), every));
        }
        background.spawn(limit::forget(gateway()));
        background.spawn(keys::watch(gateway()));
        background.spawn(evidence::watch(gateway(), settings.evidence.clone()));
        if settings.watch_files {
            // A process that ends changes nothing any more.
            let watched = Arc::clone(&process.reloader).watch();
            background.spawn_until(stop, watched);
        }
        background
    }

    /// Runs a task to the end of the process.
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let end = self.end.clone();
        self.spawn_until(&end, task);
    }

    /// Runs a task that ends by itself once [`Self::end`] says so.
    pub(super) fn spawn_whole(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    fn spawn_until(&mut self, end: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
        let task = end.clone().run_until_cancelled_owned(task);
        self.tasks.spawn(async {
            task.await;
        });
    }

    /// Tells all of them to end, and waits for that.
    pub(super) async fn finish(mut self, within: Duration) {
        self.end.cancel();
        finish_within(within, &mut self.tasks).await;
    }
}

/// Whether all tasks ended in time.
pub(super) async fn finish_within(time: Duration, tasks: &mut JoinSet<()>) -> bool {
    tokio::time::timeout(time, async { while tasks.join_next().await.is_some() {} }).await.is_ok()
}
