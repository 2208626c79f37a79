//! Start checks: what every operation needs, held against the live server, again and again. What is missing is
//! told in the log and by `/ready`; the process runs on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Gateway;
use super::changes::Changes;
use super::operation::{Operation, State};
use crate::dispatch::Binding;
use crate::nats::{ApiFailure, Nats, stream_info, streams_capturing};
use crate::subject;

/// Between two looks while everything is there.
const CALM: Duration = Duration::from_secs(30);
/// Between two looks while something is missing.
const MISSING: Duration = Duration::from_secs(5);
/// How long the server may take for one question.
const ANSWER: Duration = Duration::from_secs(5);

/// Looks at every operation, forever. Also looks when a connection has come or gone, and when the configuration has been
/// replaced.
pub async fn watch(gateway: Arc<Gateway>) {
    let mut changes = Changes::of(&gateway);
    loop {
        let pause = if gateway.nats().is_connected() { round(&gateway).await } else { CALM };
        if !changes.next(pause).await {
            return;
        }
    }
}

/// One look at every operation; how long to wait for the next.
async fn round(gateway: &Gateway) -> Duration {
    let mut pause = CALM;
    for operation in &gateway.table().operations {
        let state = inspect(gateway.nats(), operation).await;
        if !matches!(state, State::Ready) {
            pause = MISSING;
        }
        let text = state.clone();
        if operation.finding.set(state) {
            tell(&operation.name, &text);
        }
    }
    pause
}

fn tell(operation: &str, state: &State) {
    match state {
        State::Broken(problems) => {
            for problem in problems {
                tracing::warn!(operation, problem, "start check failed");
            }
        }
        State::Unknown(reason) => tracing::info!(operation, reason, "start check could not be made"),
        State::Ready => tracing::info!(operation, "start check passed"),
        State::Unchecked => {}
    }
}

/// Looks at one operation.
pub async fn inspect(nats: &Nats, operation: &Operation) -> State {
    let deadline = Instant::now() + ANSWER;
    // What NATS has no part in needs nothing of it.
    let (Some(pattern), Some(binding)) = (operation.subject(), operation.binding()) else {
        return State::Ready;
    };
    let found = match binding {
        Binding::Request(request) => streams_capturing(nats, pattern, deadline).await.map(|streams| {
            request.captured.set(streams.clone());
            streams.into_iter().map(|stream| captured(&stream, pattern)).collect()
        }),
        Binding::Publish(publish) => stores(nats, &publish.stream, pattern, deadline).await,
    };
    let mut problems: Vec<String> = match found {
        Ok(problems) => problems,
        // Without JetStream no stream can capture a request.
        Err(error) if error.is_jetstream_off() => match binding {
            Binding::Request(_) => Vec::new(),
            Binding::Publish(publish) => {
                vec![format!("JetStream is not available for this account, and {} is needed", publish.stream)]
            }
        },
        Err(error) => return State::Unknown(error.to_string()),
    };
    problems.extend(too_small(nats, operation));
    if problems.is_empty() { State::Ready } else { State::Broken(problems) }
}

fn captured(stream: &str, pattern: &str) -> String {
    format!(
        "stream {stream} captures the request subject {pattern}: it would answer in place of the service; take the subject out of the stream"
    )
}

async fn stores(
    nats: &Nats,
    stream: &str,
    pattern: &str,
    deadline: Instant,
) -> Result<Vec<String>, ApiFailure> {
    let Some(info) = stream_info(nats, stream, deadline).await? else {
        return Ok(vec![format!(
            "stream {stream} does not exist: create it by `natsgate streams apply`, NACK or `nats stream add`"
        )]);
    };
    let config = &info["config"];
    let subjects: Vec<&str> =
        config["subjects"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let mut problems = Vec::new();
    if !subjects.iter().any(|filter| subject::covers(filter, pattern)) {
        problems.push(format!(
            "stream {stream} does not capture {pattern} (it has: {}): add the subject to the stream",
            subjects.join(", ")
        ));
    }
    if config["no_ack"].as_bool() == Some(true) {
        problems.push(format!("stream {stream} acknowledges nothing (noAck): every publish would time out"));
    }
    if config["sealed"].as_bool() == Some(true) {
        problems.push(format!("stream {stream} is sealed: it refuses every message"));
    }
    Ok(problems)
}

fn too_small(nats: &Nats, operation: &Operation) -> Option<String> {
    let (max_payload, max_body) = (nats.max_payload()?, operation.input.body.max);
    (max_body > max_payload).then(|| {
        format!("bodies may have {max_body} bytes, and the server takes messages of {max_payload}: lower limits.max_body or raise max_payload")
    })
}
