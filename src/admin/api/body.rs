//! The body of a change: a small JSON object, within its time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::problem::{Code, Problem};

/// The longest body, in bytes.
const LONGEST: usize = 4 << 10;
const WITHIN: Duration = Duration::from_secs(10);

/// Reads it.
pub(super) async fn read<T: DeserializeOwned>(body: Body, example: &str) -> Result<T, Problem> {
    let bytes = timeout(WITHIN, to_bytes(body, LONGEST)).await;
    let bytes = bytes.map_err(|_| Problem::new(Code::RequestTimeout, "the body did not come in time"))?;
    let too_large = |_| Problem::new(Code::BodyTooLarge, format!("a body has at most {LONGEST} bytes"));
    let wrong = |_| Problem::new(Code::MalformedBody, format!("send a JSON object: {example}"));
    serde_json::from_slice(&bytes.map_err(too_large)?).map_err(wrong)
}
