//! One line a request, also for one whose client went away before the answer.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use tokio::time::Instant;
use tracing::Level;

use crate::gateway::Note;
use crate::head::Head;
use crate::json::write_string;
use crate::telemetry::{Log, LogFormat};

/// Longest path that is logged, in bytes.
const LONGEST_PATH: usize = 256;
/// Longest method that is logged, in bytes; a token of HTTP is ASCII.
const LONGEST_METHOD: usize = 32;
/// The status of a request whose client did not wait for the answer.
const ABANDONED: u16 = 499;

/// The access line of one request; written when dropped.
#[derive(Debug)]
pub(super) struct AccessLine<'a> {
    log: Option<&'a Log>,
    head: &'a Head,
    /// What the stages say.
    pub(super) note: Note,
    status: Option<StatusCode>,
}

impl<'a> AccessLine<'a> {
    /// The line of a request that has begun.
    pub(super) fn new(log: Option<&'a Log>, head: &'a Head) -> AccessLine<'a> {
        AccessLine { log, head, note: Note::default(), status: None }
    }

    /// Adds how it was answered. Without it, the client went away.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for AccessLine<'_> {
    fn drop(&mut self) {
        let Some(log) = self.log.filter(|_| tracing::enabled!(Level::INFO)) else { return };
        log.writer.append(|out| {
            let mut fields = Fields { out, format: log.format };
            let message = if self.status.is_some() { "request" } else { "request abandoned by its client" };
            let took = Instant::now().saturating_duration_since(self.head.received);
            fields.begin(self.head.time + took, message);
            self.write(&mut fields, took);
            fields.end();
        });
    }
}

impl AccessLine<'_> {
    fn write(&self, fields: &mut Fields<'_>, took: Duration) {
        let head = self.head;
        fields.plain("request_id", head.id.as_str());
        fields.plain("trace_id", head.trace.id().as_str());
        if let Some(operation) = &self.note.operation {
            fields.text("operation", operation);
        }
        fields
            .plain("method", head.method().as_str().get(..LONGEST_METHOD).unwrap_or(head.method().as_str()));
        fields.text("path", cut(head.path()));
        fields.number("status", u64::from(self.status.map_or(ABANDONED, |status| status.as_u16())));
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

/// The start of a path, which may be any UTF-8, without half a character at its end.
fn cut(path: &str) -> &str {
    let cuts = (0..=LONGEST_PATH.min(path.len())).rev();
    cuts.into_iter().find_map(|at| path.get(..at)).unwrap_or_default()
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
        assert_eq!(cut("/a"), "/a");
        assert_eq!(cut(&"a".repeat(300)).len(), LONGEST_PATH);
        let path = format!("/{}", "é".repeat(300));
        assert_eq!(cut(&path).len(), LONGEST_PATH - 1);
    }
}
