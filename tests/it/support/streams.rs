//! JetStream as its operator sees it: streams made and changed, and what they hold read back.

use async_nats::jetstream::{self, Context};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// The JetStream API of a server, on a connection of its own.
pub(crate) struct Streams {
    api: Context,
}

/// A message as its stream keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
    headers: Vec<(String, String)>,
}

impl Streams {
    /// Of the servers with these URLs, separated by commas.
    pub(crate) async fn of(nats: &str) -> Streams {
        let servers: Vec<String> = nats.split(',').map(str::to_owned).collect();
        let client = async_nats::connect(servers).await.expect("connection of the operator");
        Streams { api: jetstream::new(client) }
    }

    /// Makes a stream in memory that takes `subjects`; `more` is merged over that.
    pub(crate) async fn create(&self, name: &str, subjects: &[&str], more: Value) {
        self.call("CREATE", &configuration(name, subjects, more)).await;
    }

    /// Changes a stream.
    pub(crate) async fn update(&self, name: &str, subjects: &[&str], more: Value) {
        self.call("UPDATE", &configuration(name, subjects, more)).await;
    }

    async fn call(&self, action: &str, config: &Value) {
        let name = config["name"].as_str().expect("a name");
        let answer: Value =
            self.api.request(format!("STREAM.{action}.{name}"), config).await.expect("an answer");
        assert!(answer.get("error").is_none(), "{action} {name}: {answer}");
    }

    /// Every message that a stream holds.
    pub(crate) async fn messages(&self, stream: &str) -> Vec<Kept> {
        let info = self.api.get_stream(stream).await.expect("the stream");
        let state = &info.cached_info().state;
        let mut kept = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let get = format!("STREAM.MSG.GET.{stream}");
            let got: Value = self.api.request(get, &json!({ "seq": sequence })).await.expect("an answer");
            kept.extend(got.get("message").map(Kept::read));
        }
        assert_eq!(kept.len() as u64, state.messages, "every message was read");
        kept
    }

    /// How many messages a stream holds.
    pub(crate) async fn count(&self, stream: &str) -> u64 {
        self.api.get_stream(stream).await.expect("the stream").cached_info().state.messages
    }

    /// Waits until a stream holds so many messages.
    pub(crate) async fn holds(&self, stream: &str, count: u64) {
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        while self.count(stream).await != count {
            assert!(tokio::time::Instant::now() < until, "{stream} never held {count} messages");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Takes a message out, as a worker of a work queue does when it is done.
    pub(crate) async fn remove(&self, stream: &str, sequence: u64) {
        let stream = self.api.get_stream(stream).await.expect("the stream");
        assert!(stream.delete_message(sequence).await.expect("an answer"), "the message was there");
    }
}

impl Kept {
    fn read(message: &Value) -> Kept {
        let decoded = |field: &str| STANDARD.decode(message[field].as_str().unwrap_or("")).expect("base64");
        let block = String::from_utf8(decoded("hdrs")).expect("a header block in UTF-8");
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Kept {
            sequence: message["seq"].as_u64().expect("a sequence"),
            subject: message["subject"].as_str().expect("a subject").to_owned(),
            payload: decoded("data").into(),
            headers: block.split("\r\n").filter_map(header).collect(),
        }
    }

    /// The first value of a header, by its exact name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).first().copied()
    }

    /// All values of a header, in their order.
    pub(crate) fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The names of all headers, each once.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The payload as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("a JSON payload")
    }
}

fn configuration(name: &str, subjects: &[&str], more: Value) -> Value {
    let mut config = json!({ "name": name, "subjects": subjects, "storage": "memory" });
    let Value::Object(more) = more else { panic!("an object: {more}") };
    config.as_object_mut().expect("an object").extend(more);
    config
}
