//! Whether a session lives: what its client reports, who is told, and why it ended.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::{Event, ServerError};
use tokio::sync::watch;

use super::waiting::Waiting;

pub(super) struct Vitals {
    pub(super) waiting: Arc<Waiting>,
    /// `_INBOX.<unique>.`
    inbox: String,
    /// The reason, once the session is over.
    end: watch::Sender<Option<String>>,
    lame_duck: watch::Sender<bool>,
    /// The server's last words, which explain the disconnect that follows them.
    complaint: Mutex<Option<String>>,
    overrun: AtomicBool,
}

impl Vitals {
    pub(super) fn new(inbox: String, total: Arc<AtomicUsize>) -> Self {
        Self {
            waiting: Arc::new(Waiting::new(total)),
            inbox,
            end: watch::Sender::new(None),
            lame_duck: watch::Sender::new(false),
            complaint: Mutex::new(None),
            overrun: AtomicBool::new(false),
        }
    }

    /// Ends the session. The table is closed before anyone is told: a caller that learns of the end and comes again
    /// must not find a way in. Only the first reason counts.
    pub(super) fn end(&self, reason: &str) {
        self.waiting.end();
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_with(|| reason.to_owned());
            first
        });
    }

    /// Resolves with the reason when the session is over.
    pub(super) async fn ended(&self) -> String {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Resolves when the server has announced that it is about to stop.
    pub(super) async fn lame_duck(&self) {
        let mut lame_duck = self.lame_duck.subscribe();
        let _ = lame_duck.wait_for(|announced| *announced).await;
    }

    /// Takes an event of the client. Events can be lost in a flood of them, so none is the only sign of anything.
    pub(super) fn on(&self, event: &Event) {
        match event {
            Event::Disconnected | Event::Closed => {
                let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).take();
                let reason = complaint.map_or_else(
                    || "the connection was closed".to_owned(),
                    |complaint| format!("the server closed the connection: {complaint}"),
                );
                self.end(&reason);
            }
            Event::LameDuckMode => {
                self.lame_duck.send_replace(true);
            }
            Event::ServerError(ServerError::Other(text)) => self.on_server_error(text),
            Event::ServerError(error) => self.complain(&error.to_string()),
            Event::SlowConsumer(_) if !self.overrun.swap(true, Ordering::Relaxed) => {
                tracing::warn!("replies come faster than they are taken, some are dropped and will time out");
            }
            Event::SlowConsumer(_) | Event::Connected | Event::Draining | Event::ClientError(_) => {}
        }
    }

    fn on_server_error(&self, text: &str) {
        match Violation::parse(text) {
            Some(Violation::Publish(subject)) => self.waiting.deny(subject),
            Some(Violation::Subscription(subject)) if subject.starts_with(&self.inbox) => {
                let prefix = self.inbox.rsplitn(3, '.').last().unwrap_or_default();
                self.end(&format!(
                    "no permission to subscribe to {subject}, so no reply could ever come back; \
                     let the gateway's user subscribe to {prefix}.> or choose an inbox prefix that it may use"
                ));
            }
            Some(Violation::Subscription(_)) | None => self.complain(text),
        }
    }

    fn complain(&self, text: &str) {
        *self.complaint.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_lowercase());
    }
}

/// A permission that the user lacks, as the server words it.
#[derive(Debug, PartialEq, Eq)]
enum Violation<'a> {
    Publish(&'a str),
    Subscription(&'a str),
}

impl<'a> Violation<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // With an escape in it the subject is another one than it looks: better nobody is told than the wrong ones.
        let quoted = |rest: &'a str| {
            rest.strip_prefix('"')?.split('"').next().filter(|subject| !subject.contains('\\'))
        };
        let rest = text.strip_prefix("Permissions Violation for ")?;
        if let Some(rest) = rest.strip_prefix("Publish to ") {
            return quoted(rest).map(Self::Publish);
        }
        rest.strip_prefix("Subscription to ").and_then(quoted).map(Self::Subscription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_name_their_subject() {
        let publish = r#"Permissions Violation for Publish to "users.get""#;
        assert_eq!(Violation::parse(publish), Some(Violation::Publish("users.get")));
        let subscription = r#"Permissions Violation for Subscription to "_INBOX.a.*" using queue "q""#;
        assert_eq!(Violation::parse(subscription), Some(Violation::Subscription("_INBOX.a.*")));
        assert_eq!(Violation::parse("Permissions Violation for Publish to users"), None);
        assert_eq!(Violation::parse("Maximum Payload Violation"), None);
        let escaped = r#"Permissions Violation for Publish to "users.\\\".x""#;
        assert_eq!(Violation::parse(escaped), None, "not what waits for users.\\\\");
    }
}
