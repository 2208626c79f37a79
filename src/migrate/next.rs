//! What is to be done next with an operation that moves, in words.

use std::collections::BTreeSet;

use super::status::{Row, Status};

/// The shares of a canary, in percent, one after the other.
const SHARES: [f64; 5] = [1.0, 5.0, 25.0, 50.0, 100.0];
/// Rows of differing fields that are spoken of.
const ROWS: usize = 3;

/// The next steps, the first one first.
pub fn steps(status: &Status) -> Vec<String> {
    let mut steps = Vec::new();
    noise(status, &mut steps);
    if status.gate.holds {
        steps.extend(onward(status));
    } else {
        match status.stage.as_str() {
            "legacy" => steps.push("write `stage: shadow` and reload, so that answers are compared".to_owned()),
            "shadow" | "mirror" => missing(status, &mut steps),
            "nats" if status.fallbacks.total == 0 => steps.push(
                "nothing is compared in this stage: take `forward` and `migration` out, once nobody needs the way back"
                    .to_owned(),
            ),
            _ => steps.push(
                "nothing is compared in this stage: look at errors and fallbacks, or go back to `stage: shadow`"
                    .to_owned(),
            ),
        }
    }
    watch(status, &mut steps);
    steps
}

/// Places where the legacy service differs from itself: that is for nobody to mend.
fn noisy(status: &Status) -> BTreeSet<&str> {
    let rows = status.fields.iter().filter(|row| row.noise).flat_map(|row| &row.pointers);
    let fields = status.noise_fields.iter().map(|field| &field.pointer);
    rows.chain(fields).map(String::as_str).filter(|pointer| pointer.starts_with('/')).collect()
}

fn noise(status: &Status, steps: &mut Vec<String>) {
    // One that is ignored already differs nowhere.
    let differs =
        |pointer: &&str| status.fields.iter().any(|row| row.pointers.iter().any(|one| one == pointer));
    let pointers: Vec<&str> = noisy(status).into_iter().filter(differs).collect();
    if !pointers.is_empty() {
        let why = "the legacy service differs from itself there";
        steps.push(format!("add to `compare.ignore` and reload: {} ({why})", pointers.join(", ")));
    }
}

/// Where an operation goes whose gate holds.
fn onward(status: &Status) -> Option<String> {
    let next = SHARES.into_iter().find(|share| *share > status.percent);
    let to = match (status.stage.as_str(), next) {
        ("legacy", _) => "`stage: shadow`".to_owned(),
        ("shadow", _) => "`stage: canary` and `percent: 1%`".to_owned(),
        ("canary", Some(share)) => format!("`percent: {share}%`"),
        ("canary", None) if matches!(status.method.as_str(), "GET" | "HEAD") => {
            "`stage: mirror` (or `nats`, if nothing is to be compared any more)".to_owned()
        }
        ("canary" | "mirror", _) => "`stage: nats`".to_owned(),
        _ if status.fallbacks.total > 0 => return None,
        _ => {
            return Some(
                "take `forward` and `migration` out: the legacy service is not needed for it".to_owned(),
            );
        }
    };
    Some(format!("write {to} and reload"))
}

/// What keeps the gate shut.
fn missing(status: &Status, steps: &mut Vec<String>) {
    if status.compared == 0 {
        steps.push("wait for requests: none has been compared yet".to_owned());
        return;
    }
    let failed = status.candidate_errors + status.candidate_timeouts;
    if failed > 0 && failed >= status.mismatched {
        steps.push(format!(
            "look at the service behind NATS: {failed} copies failed there or were not answered"
        ));
    }
    let noisy = noisy(status);
    let mut told = noisy;
    for row in status.fields.iter().filter(|row| !row.noise).take(ROWS) {
        if let Some(step) = other_status(row) {
            steps.push(step);
            continue;
        }
        // A place that differs in several ways is spoken of once.
        let places = row.pointers.iter().map(String::as_str).filter(|place| told.insert(place));
        let places: Vec<&str> = places.collect();
        if !places.is_empty() {
            let places = places.join(", ");
            steps.push(format!(
                "make the service answer as the legacy one does at {places}, or ignore it there"
            ));
        }
    }
    for condition in status.gate.conditions.iter().filter(|condition| !condition.holds) {
        let missing = condition.missing.as_deref().unwrap_or(&condition.wanted);
        match condition.name.as_str() {
            "compared" | "for" => steps.push(format!("wait: {missing}")),
            "p99_delta" => steps.push(format!("make the service behind NATS faster: {missing}")),
            _ => {}
        }
    }
}

/// Where the statuses differ, nothing else needs to be looked at first.
fn other_status(row: &Row) -> Option<String> {
    let [legacy, nats] = [&row.example.legacy, &row.example.nats].map(|side| side.get("status"));
    let (legacy, nats) = (legacy?, nats?);
    Some(format!("find out why NATS answers {nats} where the legacy service answers {legacy}"))
}

/// What to look at, whatever the gate says.
fn watch(status: &Status, steps: &mut Vec<String>) {
    if status.breaker.as_deref() == Some("open") {
        steps.push(
            "is the service behind NATS running? NATS is left alone, since requests failed there".to_owned(),
        );
    }
    if status.fallbacks.total > 0 && status.stage == "nats" {
        let total = status.fallbacks.total;
        steps.push(format!("keep the legacy service: it answered {total} requests that NATS did not take"));
    }
    if !status.coverage.missing.is_empty() && status.compared > 0 {
        let missing = status.coverage.missing.join(", ");
        steps.push(format!("no pair had an answer {missing}: send requests that lead there, if it matters"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::status::{Example, NoiseField};

    fn at(stage: &str, holds: bool) -> Status {
        let mut status =
            Status { stage: stage.into(), method: "GET".into(), compared: 10, ..Status::default() };
        status.gate.holds = holds;
        status
    }

    #[test]
    fn whoever_may_be_moved_on_is_told_where_to() {
        let first = |status: &Status| steps(status).into_iter().next().unwrap_or_default();
        assert_eq!(
            first(&at("legacy", false)),
            "write `stage: shadow` and reload, so that answers are compared"
        );
        assert_eq!(first(&at("shadow", true)), "write `stage: canary` and `percent: 1%` and reload");
        let canary = |percent| Status { percent, ..at("canary", true) };
        assert_eq!(first(&canary(0.5)), "write `percent: 1%` and reload");
        assert_eq!(first(&canary(5.0)), "write `percent: 25%` and reload");
        assert!(first(&canary(100.0)).starts_with("write `stage: mirror`"));
        let post = Status { method: "POST".into(), ..canary(100.0) };
        assert_eq!(first(&post), "write `stage: nats` and reload", "what writes is not mirrored");
        assert!(first(&at("nats", false)).contains("take `forward` and `migration` out, once nobody"));
        assert!(first(&at("nats", true)).starts_with("take `forward` and `migration` out"));
        let mut fell_back = at("nats", true);
        fell_back.fallbacks.total = 3;
        assert!(first(&fell_back).starts_with("keep the legacy service"));
    }

    #[test]
    fn what_differs_by_itself_is_ignored_and_only_the_rest_mended() {
        let row = |pointers: &[&str], noise| {
            let pointers = pointers.iter().map(ToString::to_string).collect();
            Row { pointers, noise, ..Row::default() }
        };
        let mut status = at("shadow", false);
        status.fields =
            vec![row(&["/at"], true), row(&["/at", "/name"], false), row(&["/name", "/roles"], false)];
        status.noise_fields =
            ["/at", "/ignored"].map(|one| NoiseField { pointer: one.into(), ..NoiseField::default() }).into();
        let told = steps(&status);
        assert!(told[0].contains("`compare.ignore` and reload: /at ("), "{told:?}");
        assert!(told[1].contains("at /name, or ignore"), "{told:?}");
        assert!(told[2].contains("at /roles, or ignore"), "what was told is not told again: {told:?}");
        assert_eq!(told.len(), 3);
        let said =
            |status: &str| [("status", status), ("/code", "x")].map(|(a, b)| (a.into(), b.into())).into();
        let example = Example { legacy: said("201"), nats: said("415") };
        status.fields = vec![Row { example, ..row(&["/code", "status"], false) }];
        assert_eq!(steps(&status), ["find out why NATS answers 415 where the legacy service answers 201"]);
    }
}
