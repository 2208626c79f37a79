//! Checks of `limits`, and of the proxies by whose word addresses are counted.

use std::time::Duration;

use super::{at_least_one, some_bytes};
use crate::config::{Limits, Network, Rate};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Located, Node};

/// What `per` can be beside an expression.
const WORDS: [&str; 2] = ["ip", "caller"];
/// The longest time in which a burst may be there again.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Limits of one operation.
pub(super) fn limits(limits: &Limits, diagnostics: &mut Diagnostics) {
    some_bytes("max_body", limits.max_body.as_ref(), diagnostics);
    at_least_one("in_flight", limits.in_flight.as_ref(), diagnostics);
    at_least_one("burst", limits.burst.as_ref(), diagnostics);
    if let (Some(rate), Some(burst)) = (&limits.rate, &limits.burst) {
        in_time(rate, burst, diagnostics);
    }
    if let Some(per) = &limits.per {
        word(per, diagnostics);
    }
}

/// What has no effect where an operation has no rate, by what is written: a rate that cannot be read has been told.
pub(in crate::config) fn without_rate(operation: &Node, diagnostics: &mut Diagnostics) {
    let Some(limits) = operation.get("limits").filter(|limits| limits.get("rate").is_none()) else { return };
    for (key, _) in limits.entries().iter().filter(|(key, _)| matches!(key.name.as_str(), "burst" | "per")) {
        diagnostics.push(
            Diagnostic::error(key.place, format!("`{}` without `rate`", key.name))
                .reason("without a rate nothing is counted")
                .help("add `rate: 100/s`, say, or remove it"),
        );
    }
}

fn in_time(rate: &Located<Rate>, burst: &Located<u32>, diagnostics: &mut Diagnostics) {
    let refilled = rate.per.as_nanos() * u128::from(burst.value) / u128::from(rate.count.get());
    if refilled > LONGEST.as_nanos() {
        let most = LONGEST.as_nanos() * u128::from(rate.count.get()) / rate.per.as_nanos();
        diagnostics.push(
            Diagnostic::error(burst.place, format!("`burst` is too large for a rate of {}", rate.value))
                .also(rate.place, "the rate")
                .reason("it would take more than a year until as many may come at once again")
                .help(format!("write at most {most}")),
        );
    }
}

fn word(per: &Located<String>, diagnostics: &mut Diagnostics) {
    if WORDS.contains(&per.as_str()) || (per.contains("${") && !per.starts_with("$${")) {
        return;
    }
    let bare = per.trim_start_matches('$').trim_matches(['{', '}']);
    let near = WORDS.iter().find(|word| strsim::jaro_winkler(word, &bare.to_ascii_lowercase()) > 0.6);
    let help = match near {
        _ if bare.contains('.') => format!("write an expression as ${{{bare}}}"),
        Some(word) => format!("did you mean `{word}`? An expression is written as ${{claims.org}}"),
        None => "write ip, caller, or an expression such as ${claims.org}".to_owned(),
    };
    let message = format!("requests cannot be counted by `{}`", per.value);
    diagnostics.push(Diagnostic::error(per.place, message).help(help));
}

/// Proxies whose word is believed.
pub(super) fn proxies(networks: &[Located<Network>], diagnostics: &mut Diagnostics) {
    for network in networks.iter().filter(|network| network.value.0.prefix_len() == 0) {
        diagnostics.push(
            Diagnostic::warning(network.place, format!("{} trusts everybody", network.value.0))
                .reason(
                    "whoever connects can then say which address it has, and escape every limit by address",
                )
                .help("name the addresses of your proxies"),
        );
    }
}
