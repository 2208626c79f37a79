//! One line a request, also for one whose client went away before the answer.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tracing::Level;

use crate::authenticate::Caller;
use crate::gateway::Note;
use crate::head::Head;
use crate::json::write_string;
use crate::telemetry::{Log, LogFormat};

/// Longest path that is logged, in bytes.
const LONGEST_PATH: usize = 256;
/// Longest method that is logged, in bytes; a token of HTTP is ASCII.
const LONGEST_METHOD: usize = 32;
/// Longest name of a caller that is logged, in bytes.
const LONGEST_NAME: usize = 128;

/// What a line is written from.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) head: &'a Head,
    pub(super) note: &'a Note,
    pub(super) status: u16,
    pub(super) is_abandoned: bool,
    /// When the request was over.
    pub(super) now: Instant,
}

/// Writes the line of a request that is over.
pub(super) fn write(log: &Log, entry: &Entry<'_>) {
    if !tracing::enabled!(Level::INFO) {
        return;
    }
    log.writer.append(|out| {
        let mut fields = Fields { out, format: log.format };
        let message = if entry.is_abandoned { "request abandoned by its client" } else { "request" };
        let took = entry.now.saturating_duration_since(entry.head.received);
        fields.begin(entry.head.time + took, message);
        entry.write(&mut fields, took);
        fields.end();
    });
}

impl Entry<'_> {
    /// Whether somebody may want to know why it went as it did.
    pub(super) fn is_trouble(&self) -> bool {
        self.status >= 400 || self.note.problem.is_some()
    }

    fn write(&self, fields: &mut Fields<'_>, took: Duration) {
        let head = self.head;
        fields.plain("request_id", head.id.as_str());
        fields.plain("trace_id", head.trace.id().as_str());
        if let Some(operation) = &self.note.operation {
            fields.text("operation", &operation.name);
        }
        if let Some(identity) = self.note.caller.as_ref().and_then(Caller::identity) {
            fields.text("caller", cut(&identity.name, LONGEST_NAME));
            fields.text("verifier", &identity.verifier);
        }
        fields
            .plain("method", head.method().as_str().get(..LONGEST_METHOD).unwrap_or(head.method().as_str()));
        fields.text("path", shown_path(head));
        fields.number("status", u64::from(self.status));
        if let Some(side) = self.note.served {
            fields.plain("side", side.name());
        }
        if let Some(why) = self.note.fell_back {
            fields.plain("fell_back", why.name());
        }
        if let Some(problem) = &self.note.problem {
            fields.plain("code", problem.code.name());
            fields.plain("outcome", problem.outcome().name());
            if let Some(cause) = &problem.cause {
                fields.text("cause", cause);
            }
        }
        fields.number("duration_us", u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        fields.address("ip", head.ip);
    }
}

/// The path of a request as it is told: not longer than it may be.
pub(super) fn shown_path(head: &Head) -> &str {
    cut(head.path(), LONGEST_PATH)
}

/// The start of a text, which may be any UTF-8, without half a character at its end.
fn cut(text: &str, longest: usize) -> &str {
    let cuts = (0..=longest.min(text.len())).rev();
    cuts.into_iter().find_map(|at| text.get(..at)).unwrap_or_default()
}

/// Writes fields as the other lines of the log have them, by copying: this is done for every request. Text from
/// outside is escaped in both formats.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    format: LogFormat,
}

impl Fields<'_> {
    fn begin(&mut self, time: SystemTime, message: &str) {
        let json = self.format == LogFormat::Json;
        self.copy(if json { "{\"timestamp\":\"" } else { "" });
        let _ = write!(self.out, "{}", humantime::format_rfc3339_micros(time));
        self.copy(if json { "\",\"level\":\"INFO\",\"message\":\"" } else { "  INFO " });
        self.copy(message);
        self.copy(if json { "\"" } else { "" });
    }

    fn copy(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: &str) {
        let (before, after) = match self.format {
            LogFormat::Json => (",\"", "\":"),
            LogFormat::Text => (" ", "="),
        };
        self.copy(before);
        self.copy(name);
        self.copy(after);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        write_string(self.out, value);
    }

    /// A value of ours, or one that HTTP's grammar bounds: nothing in it needs escaping.
    fn plain(&mut self, name: &str, value: &str) {
        self.name(name);
        let quote = if self.format == LogFormat::Json { "\"" } else { "" };
        self.copy(quote);
        self.copy(value);
        self.copy(quote);
    }

    fn address(&mut self, name: &str, address: IpAddr) {
        self.name(name);
        let quote = if self.format == LogFormat::Json { "\"" } else { "" };
        self.copy(quote);
        match address {
            IpAddr::V4(address) => {
                for (position, octet) in address.octets().into_iter().enumerate() {
                    self.copy(if position == 0 { "" } else { "." });
                    self.digits(u64::from(octet));
                }
            }
            IpAddr::V6(address) => {
                let _ = write!(self.out, "{address}");
            }
        }
        self.copy(quote);
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.digits(value);
    }

    fn digits(&mut self, value: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        let mut rest = value;
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[first..]);
    }

    fn end(&mut self) {
        self.copy(if self.format == LogFormat::Json { "}\n" } else { "\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_between_characters() {
        assert_eq!(cut("/a", LONGEST_PATH), "/a");
        assert_eq!(cut(&"a".repeat(300), LONGEST_PATH).len(), LONGEST_PATH);
        let path = format!("/{}", "é".repeat(300));
        assert_eq!(cut(&path, LONGEST_PATH).len(), LONGEST_PATH - 1);
    }
}
