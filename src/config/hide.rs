//! Keeps secrets out of the source lines of diagnostics. What is not known to be harmless is hidden.

use super::secret::is_variable;
use crate::diagnostic::{Diagnostics, Place};
use crate::yaml::{Node, Value};

/// Sections of the file that hold no secrets.
const SECTIONS: [&str; 9] = [
    "include",
    "contracts",
    "manifests",
    "streams",
    "cors",
    "defaults",
    "operations",
    "fallback",
    "migration",
];

/// Keys of `server`, `nats`, `security` and `telemetry` whose values may be shown.
const SHOWN: [&str; 48] = [
    "listen",
    "admin",
    "drain_delay",
    "drain",
    "in_flight",
    "ready_requires",
    "docs",
    "max_connections",
    "max_headers",
    "max_uri",
    "trusted_proxies",
    "timeouts",
    "header",
    "body",
    "idle",
    "servers",
    "name",
    "user",
    "credentials",
    "tls",
    "first",
    "connections",
    "inbox_prefix",
    "ping_interval",
    "max_control_line",
    "jetstream",
    "domain",
    "api_prefix",
    "start_checks",
    "jwt",
    "api_key",
    "basic",
    "upstream",
    "issuer",
    "audience",
    "algorithms",
    "jwks",
    "leeway",
    "scopes",
    "keys",
    "users",
    "traces",
    "otlp",
    "protocol",
    "timeout",
    "sample",
    "service",
    "access_log",
];

/// Keys of an upstream whose values may be shown.
const OF_UPSTREAMS: [&str; 10] = [
    "connect_timeout",
    "first_byte_timeout",
    "idle_timeout",
    "retry_after",
    "host",
    "forwarded",
    "http",
    "tls",
    "max_connections",
    "failures",
];

/// Words of keys whose values are hidden in a file that is no valid YAML.
const WORDS: [&str; 8] = ["pass", "pwd", "secret", "token", "nkey", "seed", "credential", "key"];

/// Hides the values of `server`, `nats`, `security`, `telemetry` and unknown sections that may be secrets.
pub(super) fn hide(root: &Node, diagnostics: &mut Diagnostics) {
    for (key, section) in root.entries() {
        match key.name.as_str() {
            "server" | "nats" => children(section, false, diagnostics),
            // The names of verifiers are free.
            "security" => section.entries().iter().for_each(|(_, one)| value(one, false, diagnostics)),
            "upstreams" => section.entries().iter().for_each(|(_, one)| upstream(one, diagnostics)),
            name if SECTIONS.contains(&name) => {}
            _ => value(section, true, diagnostics),
        }
    }
}

/// Where a legacy service is may be seen, unless something in it may be a secret.
fn upstream(node: &Node, diagnostics: &mut Diagnostics) {
    let is_plain = |node: &Node| node.as_str().is_some_and(|text| !text.contains(['@', '?', '#', '\n']));
    for (key, child) in node.entries() {
        match key.name.as_str() {
            "url" if is_plain(child) => {}
            "urls" if matches!(child.value, Value::List(_)) => {
                let others = child.items().iter().filter(|one| !is_plain(one));
                others.for_each(|one| value(one, true, diagnostics));
            }
            name => value(child, !OF_UPSTREAMS.contains(&name), diagnostics),
        }
    }
}

fn children(node: &Node, hidden: bool, diagnostics: &mut Diagnostics) {
    for (key, child) in node.entries() {
        let hidden = match key.name.as_str() {
            "env" => !child.as_str().is_some_and(is_variable),
            "file" | "ca" | "certificate" | "key" | "client_ca" => {
                child.as_str().is_none_or(|path| path.contains('\n'))
            }
            name => hidden || !is_harmless(name),
        };
        value(child, hidden, diagnostics);
    }
    for item in node.items() {
        value(item, hidden, diagnostics);
    }
}

/// A known key, or an obvious misspelling of one.
fn is_harmless(name: &str) -> bool {
    let near = |known: &&str| name.len() > 4 && strsim::osa_distance(name, known) == 1;
    SHOWN.contains(&name) || (after_a_word(&format!("{name}:")).is_none() && SHOWN.iter().any(near))
}

fn value(node: &Node, hidden: bool, diagnostics: &mut Diagnostics) {
    match &node.value {
        Value::Map(_) | Value::List(_) => children(node, hidden, diagnostics),
        _ if hidden => diagnostics.hide(node.place),
        Value::Text { text, quoted, .. } => user_info(node.place, text, *quoted, diagnostics),
        _ => {}
    }
}

/// Hides `user:password@` of a URL.
pub(super) fn user_info(place: Place, text: &str, quoted: bool, diagnostics: &mut Diagnostics) {
    if text.contains('\n') {
        diagnostics.hide(place);
    } else if let Some((start, end)) = user_info_range(text) {
        let column = place.column + start + u32::from(quoted);
        diagnostics.hide(Place { column, length: end - start, ..place });
    }
}

/// From and to which character the credentials of a URL stand in a line.
fn user_info_range(line: &str) -> Option<(u32, u32)> {
    let start = line.find("://")? + 3;
    let end = start + line.get(start..)?.rfind('@')?;
    let characters = |until: usize| u32::try_from(line.get(..until)?.chars().count()).ok();
    Some((characters(start)?, characters(end)?))
}

/// Hides what may be a secret in a file that cannot be read as YAML, line by line: all but the known keys of
/// sections that may have secrets, and what stands behind a word such as `token` everywhere.
pub(super) fn hide_by_lines(file: u32, diagnostics: &mut Diagnostics) {
    let Some(source) = diagnostics.sources.get(file as usize) else { return };
    let text = source.text.clone();
    let mut is_open = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let name = line.split(':').next().unwrap_or_default();
        if !line.starts_with([' ', '#', '-', '}', ']']) && !line.is_empty() {
            is_open = SECTIONS.contains(&name);
        }
        let is_plain = SHOWN.contains(&name.trim()) && !line.contains('{');
        let secret = match is_open || is_plain {
            true => after_a_word(line),
            false if line.contains(':') => Some(count(name) + 1),
            false => Some(0),
        };
        let user_info = user_info_range(line).map(|(start, _)| start);
        if let Some(from) = secret.into_iter().chain(user_info).min() {
            let length = count(line).saturating_sub(from);
            diagnostics.hide(Place { file, line: number, column: from + 1, length });
        }
    }
}

/// The character after the colon of the first key that sounds like a secret.
fn after_a_word(line: &str) -> Option<u32> {
    let lower = line.to_lowercase();
    let word = WORDS.iter().filter_map(|word| lower.find(word)).min()?;
    let colon = word + lower.get(word..)?.find(':')?;
    lower.get(..=colon).map(count)
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
