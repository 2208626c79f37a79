//! The JetStream API as JSON in, JSON out: the errors of the API told apart from those of the connection.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::message::{Failure, Outgoing, Reply};
use super::{Nats, headers};

const NOT_ENABLED_FOR_ACCOUNT: u64 = 10_039;
const NOT_ENABLED: u64 = 10_076;
/// As in HTTP.
const UNAVAILABLE: u16 = 503;

/// An error of JetStream, by the numbers that it is known by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{description} (code {code}, error {err_code})")]
pub struct ApiError {
    /// Resembles an HTTP status.
    #[serde(default)]
    pub code: u16,
    /// Says which error it is.
    #[serde(default)]
    pub err_code: u64,
    /// English, and free to change between server versions: for people. Empty if the server gave none.
    #[serde(default)]
    pub description: String,
}

/// Why the API gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiFailure {
    /// [`Failure::NoResponders`] means that JetStream is off for the account, or has no leader right now.
    #[error(transparent)]
    Send(#[from] Failure),
    /// The API answered, and its answer is an error.
    #[error("jetstream refused: {0}")]
    Refused(ApiError),
    /// The reply is not the JSON that was expected; a request that could not be written as JSON ends here too.
    #[error("jetstream's reply cannot be read: {0}")]
    BadReply(String),
}

impl ApiFailure {
    /// Whether JetStream is off: for the server, or for the account.
    pub fn is_jetstream_off(&self) -> bool {
        match self {
            Self::Send(failure) => *failure == Failure::NoResponders,
            Self::Refused(error) => matches!(error.err_code, NOT_ENABLED | NOT_ENABLED_FOR_ACCOUNT),
            Self::BadReply(_) => false,
        }
    }

    /// Whether the same may succeed a moment later: a connection is on its way back, or a leader.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Send(failure) => matches!(
                failure,
                Failure::NotConnected | Failure::ConnectionLost | Failure::Timeout | Failure::NoResponders
            ),
            Self::Refused(error) => error.code == UNAVAILABLE && !self.is_jetstream_off(),
            Self::BadReply(_) => false,
        }
    }
}

impl Nats {
    /// Calls the API: `subject` without the prefix, such as `STREAM.INFO.ORDERS`.
    ///
    /// # Errors
    /// See [`ApiFailure`]; a body that is no JSON is an [`ApiFailure::BadReply`] too, and nothing was sent.
    pub async fn api(
        &self,
        subject: &str,
        body: &impl Serialize,
        deadline: Instant,
    ) -> Result<Value, ApiFailure> {
        let payload = serde_json::to_vec(body).map_err(|error| ApiFailure::BadReply(error.to_string()))?;
        let message = Outgoing {
            subject: format!("{}.{subject}", self.api_prefix()).into(),
            headers: headers::Headers::default().into_map(),
            payload: Bytes::from(payload),
        };
        read(&self.request(message, deadline).await?)
    }
}

fn read(reply: &Reply) -> Result<Value, ApiFailure> {
    let mut value: Value =
        serde_json::from_slice(&reply.payload).map_err(|error| ApiFailure::BadReply(error.to_string()))?;
    match value.get_mut("error").map(Value::take) {
        None | Some(Value::Null) => Ok(value),
        Some(error) => Err(serde_json::from_value(error)
            .map_or_else(|error| ApiFailure::BadReply(error.to_string()), ApiFailure::Refused)),
    }
}
