//! What an import has done, for people and for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Wanted;
use super::entry::plain;
use super::known::Known;
use super::plan::Plan;
use crate::contract::{Contract, Operation};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// All of it, with places as people read them.
#[derive(Debug)]
pub struct Report {
    /// What the file held; `None`: it is not there.
    pub before: Option<String>,
    /// Whether somebody says where the upstream is.
    pub upstream_is_there: bool,
    /// What is probably not meant so: each with what to do.
    doubts: Vec<String>,
    /// Whether document and configuration differ.
    pub differs: bool,
    document: String,
    upstream: String,
    operations: usize,
    base_path: String,
    added: Vec<Row>,
    kept: Vec<Row>,
    left_out: Vec<Row>,
    gone: Vec<Row>,
    changed: Vec<Row>,
    /// Parts of the document that could not be read at all, so that nobody knows which operations stand there.
    unread: Vec<Row>,
}

/// An operation.
#[derive(Debug)]
struct Row {
    name: String,
    place: String,
    json: Value,
    words: String,
    next: Option<String>,
}

impl Report {
    pub(super) fn of(
        wanted: &Wanted<'_>,
        contract: &Contract,
        known: &Known,
        plan: Plan,
        diagnostics: &Diagnostics,
    ) -> Report {
        let find = |index: usize| contract.operations().get(index);
        let at = |place: Place| diagnostics.locate(place);
        let differs = !plan.is_empty();
        let Plan { added, kept, left_out, gone, changed, .. } = plan;
        let added = added.into_iter().filter_map(|one| {
            let operation = find(one.index)?;
            Some(row(&one.key, at(operation.place), route(operation), None, of_operation(operation)))
        });
        let kept = kept.into_iter().map(|one| {
            row(&one.key, at(one.place), one.kind.to_owned(), None, json!({ "binding": one.kind }))
        });
        let left_out = left_out.into_iter().filter_map(|one| {
            let operation = find(one.index)?;
            Some(refused(&route(operation), &one.why, operation.place, diagnostics, of_operation(operation)))
        });
        let gone = gone.into_iter().map(|one| {
            let words = match &one.renamed {
                Some(id) => format!("the document calls it `{id}` now"),
                None => "the document has no such operation".to_owned(),
            };
            let next = Some("remove it, once nobody needs it".to_owned());
            row(&one.key, at(one.place), words, next, json!({ "renamed": one.renamed }))
        });
        let changed = changed.into_iter().map(|one| {
            let words = format!("was {}, is {}", one.was, one.is);
            let next = Some("correct the comment above it, once its callers know".to_owned());
            row(&one.key, at(one.place), words, next, json!({ "was": one.was, "is": one.is }))
        });
        let unread = diagnostics.sorted().into_iter().map(|one| {
            refused("(a part of the document)", one, one.place.unwrap_or_default(), diagnostics, json!({}))
        });
        Report {
            before: known.text.clone(),
            doubts: doubts(wanted, contract, known),
            upstream_is_there: known.has_upstream(wanted.upstream) || wanted.url.is_some(),
            differs,
            document: wanted.document.display().to_string(),
            upstream: wanted.upstream.to_owned(),
            operations: contract.operations().len(),
            base_path: contract.base_path().to_owned(),
            added: added.collect(),
            kept: kept.collect(),
            left_out: left_out.collect(),
            gone: gone.collect(),
            changed: changed.collect(),
            unread: unread.collect(),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("{}: {}", self.document, counted(self.operations, "operation"));
        if !self.base_path.is_empty() {
            let _ = write!(out, " under {}", self.base_path);
        }
        out.push('\n');
        let forward = format!("go to `{}` as they come", self.upstream);
        for (title, rows, words, shown) in [
            ("added", &self.added, forward.as_str(), false),
            ("kept", &self.kept, "are bound already", false),
            ("left out", &self.left_out, "cannot be served", true),
            ("unread", &self.unread, "of the document cannot be read", true),
            ("gone", &self.gone, "are bound, and not in the document", true),
            ("changed", &self.changed, "have another method or path now", true),
        ] {
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(out, "{title:>10}  {} {words}", rows.len());
            for row in rows.iter().filter(|_| shown) {
                let _ = writeln!(out, "            {}", plain(&row.name));
                let _ = writeln!(out, "              {}: {}", row.place, row.words);
                if let Some(next) = &row.next {
                    let _ = writeln!(out, "              next: {next}");
                }
            }
        }
        if !self.upstream_is_there {
            let _ = writeln!(
                out,
                "      next  say where `{0}` is: --url, or `upstreams: {{ {0}: {{ url: http://… }} }}`",
                self.upstream
            );
        }
        for doubt in &self.doubts {
            let _ = writeln!(out, "      next  {doubt}");
        }
        // What is quoted of a document must not command the terminal.
        out.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let rows = |rows: &[Row]| rows.iter().map(|row| row.json.clone()).collect::<Value>();
        json!({
            "document": self.document,
            "base_path": self.base_path,
            "upstream": self.upstream,
            "operations": self.operations,
            "added": rows(&self.added),
            "kept": rows(&self.kept),
            "left_out": rows(&self.left_out),
            "unread": rows(&self.unread),
            "gone": rows(&self.gone),
            "changed": rows(&self.changed),
            "doubts": self.doubts,
        })
    }
}

/// Another URL than the one that is written already, and a base path that stands in both.
fn doubts(wanted: &Wanted<'_>, contract: &Contract, known: &Known) -> Vec<String> {
    let name = wanted.upstream;
    let written = known.upstream_url(name);
    let mut doubts = Vec::new();
    if let (Some(written), Some(url)) = (written, wanted.url)
        && written.trim_end_matches('/') != url.trim_end_matches('/')
    {
        doubts.push(format!(
            "`{name}` is elsewhere in the configuration, and stays there: change its `url` by hand"
        ));
    }
    let base = contract.base_path().trim_end_matches('/');
    let url = written.or(wanted.url).and_then(|url| url::Url::parse(url).ok());
    if !base.is_empty() && url.is_some_and(|url| url.path().trim_end_matches('/').ends_with(base)) {
        doubts.push(format!(
            "requests would go to {base}{base}: take {base} out of the URL of `{name}`, since every path begins with it"
        ));
    }
    doubts
}

fn route(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

fn of_operation(operation: &Operation) -> Value {
    json!({ "method": operation.method.as_str(), "path": operation.path })
}

fn row(name: &str, place: String, words: String, next: Option<String>, more: Value) -> Row {
    let mut json = json!({ "operation": name, "place": place });
    if let (Some(members), Value::Object(more)) = (json.as_object_mut(), more) {
        members.extend(more);
    }
    Row { name: name.to_owned(), place, json, words, next }
}

/// An operation with a reason.
fn refused(name: &str, why: &Diagnostic, place: Place, diagnostics: &Diagnostics, more: Value) -> Row {
    let place = diagnostics.locate(why.place.unwrap_or(place));
    let next = why.help.as_deref().map(str::to_owned);
    let mut row = row(name, place, why.message.clone(), next.clone(), more);
    row.json["reason"] = json!(why.message);
    row.json["next"] = json!(next);
    row
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
