//! What is told to whoever may not: the reason, and the next step. The log is told as well, at most once a second.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use tokio::time::Instant;

use crate::head::RequestId;
use crate::problem::{Code, Problem};

/// Between two lines of the log.
const QUIET: Duration = Duration::from_secs(1);

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NoToken,
    WrongToken,
    TooManyGuesses,
    OtherOrigin,
    Elsewhere,
    Forwarded(&'static str),
    ForeignHost,
    NotJson,
}

impl Refusal {
    fn problem(self) -> Problem {
        let challenge = |value| Some(HeaderValue::from_static(value));
        let (code, challenge) = match self {
            Refusal::NoToken => (Code::Unauthenticated, challenge("Bearer realm=\"natsgate admin\"")),
            Refusal::WrongToken => {
                (Code::Unauthenticated, challenge("Bearer realm=\"natsgate admin\", error=\"invalid_token\""))
            }
            Refusal::TooManyGuesses => (Code::RateLimited, None),
            Refusal::NotJson => (Code::UnsupportedMediaType, None),
            _ => (Code::Forbidden, None),
        };
        let mut problem = Problem::new(code, self.detail());
        problem.challenges.extend(challenge);
        problem
    }

    fn detail(self) -> String {
        match self {
            Refusal::NoToken => "this needs the token of server.admin_token: send it as `Authorization: Bearer TOKEN`".into(),
            Refusal::WrongToken => "this is not the token of server.admin_token: look it up where the gateway reads it".into(),
            Refusal::TooManyGuesses => "too many wrong tokens are being answered: come again with the right one, which is never held up".into(),
            Refusal::OtherOrigin => "a page of another origin has asked: open the console of this listener, or ask with a program that is no browser".into(),
            Refusal::Elsewhere => "without server.admin_token only the gateway's own host is answered: set it and send it, or ask from there (in Kubernetes: kubectl port-forward)".into(),
            Refusal::Forwarded(header) => format!("{header} says that a proxy hands this on, and without server.admin_token only the gateway's own host is answered: set it and send it, or ask without the proxy"),
            Refusal::ForeignHost => "without server.admin_token the host must be asked by its own name: use localhost, 127.0.0.1 or [::1], or set server.admin_token".into(),
            Refusal::NotJson => "a change is sent with `Content-Type: application/json`".into(),
        }
    }

    /// For the log.
    fn reason(self) -> &'static str {
        match self {
            Refusal::NoToken => "no token",
            Refusal::WrongToken => "a wrong token",
            Refusal::TooManyGuesses => "too many wrong tokens",
            Refusal::OtherOrigin => "a page of another origin",
            Refusal::Elsewhere => "no token is configured, and the client is on another host",
            Refusal::Forwarded(_) => "no token is configured, and a proxy hands it on",
            Refusal::ForeignHost => "no token is configured, and the host is asked by another name",
            Refusal::NotJson => "a change that is not sent as JSON",
        }
    }

    /// The answer.
    pub(super) fn answer(self) -> Response {
        let id = RequestId::new(SystemTime::now());
        self.problem().response(id.as_str()).into_response()
    }
}

/// What the log has been told.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    last: Option<Instant>,
    unsaid: u64,
}

impl Told {
    /// Tells the log, unless it has just been told of another.
    pub(super) fn tell(&self, refusal: &Refusal, peer: Option<IpAddr>) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.last.is_some_and(|last| last.elapsed() < QUIET) {
            line.unsaid += 1;
            return;
        }
        let others = std::mem::take(&mut line.unsaid);
        line.last = Some(Instant::now());
        drop(line);
        let ip = peer.map(tracing::field::display);
        tracing::warn!(ip, reason = refusal.reason(), others, "the admin API was refused");
    }
}
