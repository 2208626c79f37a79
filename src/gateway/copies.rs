//! Copies of requests for the other side of an operation: bounded in number and in size, and never in the way of the
//! request itself.

mod job;
mod tee;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Gateway;
use super::sides::Asked;
use crate::body::Body;
use crate::migrate::{Answer, Side};
use crate::problem::Problem;
use crate::translate::HttpResponse;
use job::Job;
use tee::Tee;

/// Copies at a time; where there are more, they are not made.
const MOST: usize = 256;
/// All their bodies together.
const MOST_KILOBYTES: usize = 32 << 10;
/// How long an answer may take to be given to its end, to be compared.
const GIVEN: Duration = Duration::from_secs(30);

/// The places for copies.
#[derive(Debug)]
pub(super) struct Copies {
    number: Arc<Semaphore>,
    kilobytes: Arc<Semaphore>,
    /// Nobody is to blame for what fails from now on.
    ended: CancellationToken,
}

/// A place for one copy, and for its body.
struct Place {
    _number: OwnedSemaphorePermit,
    _kilobytes: OwnedSemaphorePermit,
}

impl Default for Copies {
    fn default() -> Copies {
        Copies {
            number: Arc::new(Semaphore::new(MOST)),
            kilobytes: Arc::new(Semaphore::new(MOST_KILOBYTES)),
            ended: CancellationToken::new(),
        }
    }
}

impl Copies {
    /// A place for a copy with a body of so many bytes, if there is one.
    fn place(&self, bytes: usize) -> Option<Place> {
        let kilobytes = u32::try_from(bytes.div_ceil(1024)).ok()?;
        Some(Place {
            _number: Arc::clone(&self.number).try_acquire_owned().ok()?,
            _kilobytes: Arc::clone(&self.kilobytes).try_acquire_many_owned(kilobytes).ok()?,
        })
    }

    /// How many are on their way.
    pub(super) fn in_flight(&self) -> usize {
        MOST - self.number.available_permits()
    }
}

/// A copy that is on its way, and waits for the answer that the client gets. `None`: there was no place for one.
pub(super) struct Copy(Option<Waiting>);

struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// When the request was sent to the side that answers it.
    began: Instant,
    /// HEAD: what the body would be is no part of the answer, and nobody asks for it.
    bodiless: bool,
    /// The longest body that is compared, in bytes.
    longest: usize,
}

impl Copy {
    /// The request itself had been sent before.
    pub(super) fn since(mut self, began: Instant) -> Copy {
        self.0.iter_mut().for_each(|waiting| waiting.began = began);
        self
    }

    /// Notes the answer that the client gets, while it is given.
    pub(super) fn watch(self, answered: Result<HttpResponse, Problem>) -> Result<HttpResponse, Problem> {
        let Some(Waiting { answer, began, bodiless, longest }) = self.0 else { return answered };
        let (parts, body) = answered?.into_parts();
        let (status, headers) = (parts.status, parts.headers.clone());
        let noted = Answer { status, headers, body: None, code: None, took: began.elapsed() };
        if bodiless {
            let _ = answer.send(Answer { body: Some(Bytes::new()), ..noted });
            return Ok(Response::from_parts(parts, body));
        }
        Ok(Response::from_parts(parts, Body::stream(Tee::new(body, longest, answer, noted))))
    }
}

impl Gateway {
    /// Ends the copies that are on their way, before their failure could be taken for a difference.
    pub fn end_copies(&self) {
        self.copies.ended.cancel();
    }

    /// Begins a copy for the side that does not answer, if there is a place for it.
    pub(super) fn copy(&self, asked: Asked<'_>, body: Bytes, served: Side) -> Copy {
        let Some(migration) = &asked.matched.operation.migration else { return Copy(None) };
        let Some(place) = self.copies.place(body.len()) else {
            migration.evidence.dropped();
            return Copy(None);
        };
        let (sender, given) = oneshot::channel();
        let job = Job {
            nats: self.nats.clone(),
            table: Arc::clone(asked.table),
            head: asked.head.for_copy(),
            caller: asked.caller.clone(),
            body,
            served,
            given,
            _place: place,
        };
        tokio::spawn(self.copies.ended.clone().run_until_cancelled_owned(job.run()));
        let bodiless = *asked.head.method() == Method::HEAD;
        let longest = migration.evidence.max_body();
        Copy(Some(Waiting { answer: sender, began: Instant::now(), bodiless, longest }))
    }
}
