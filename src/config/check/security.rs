//! Checks of `security:`. What stands in files of keys and users is checked by whoever reads them.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderName;
use url::{Host, Url};

use super::nats::{pem_file, written_out};
use crate::config::elsewhere::unreadable;
use crate::config::{Algorithm, JwtIssuer, Verifier};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Entries, Located, Node};

/// The shortest secret of HS256, in bytes: as long as its hash (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;
/// Beyond this, clocks are wrong and not apart.
const LONGEST_LEEWAY: Duration = Duration::from_secs(600);

/// Checks every verifier. The tree has what is written where reading had to cut something.
pub(super) fn check(verifiers: &Entries<Located<Verifier>>, tree: &Node, diagnostics: &mut Diagnostics) {
    for (name, verifier) in &verifiers.0 {
        named(name, diagnostics);
        one_kind(verifier, diagnostics);
        if let Some(issuers) = &verifier.jwt {
            if issuers.is_empty() {
                let message = "`jwt` names no issuer";
                let help = "add one: [{ issuer: …, audience: […], algorithms: [RS256], jwks: https://… }]";
                diagnostics.push(Diagnostic::error(issuers.place, message).help(help));
            }
            let written = tree.get("security").and_then(|all| all.get(name)?.get("jwt"));
            for (at, issuer) in issuers.iter().enumerate() {
                check_issuer(issuer, written.and_then(|all| all.items().get(at)), diagnostics);
            }
            once(issuers, diagnostics);
        }
        let header = verifier.api_key.as_ref().and_then(|keys| keys.header.as_ref());
        if let Some(header) = header.filter(|header| HeaderName::from_bytes(header.as_bytes()).is_err()) {
            let message = format!("`{}` is not the name of a header", header.value);
            diagnostics.push(Diagnostic::error(header.place, message).help("write X-API-Key, say"));
        }
    }
}

/// Names stand in answers and in the state of the process.
fn named(name: &Located<String>, diagnostics: &mut Diagnostics) {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || !name.bytes().all(legal) {
        let message = format!("{:?} is not the name of a verifier", name.value);
        diagnostics
            .push(Diagnostic::error(name.place, message).help("use letters, digits, `_`, `.` and `-`"));
    }
}

fn one_kind(verifier: &Located<Verifier>, diagnostics: &mut Diagnostics) {
    let kinds = [
        ("jwt", verifier.jwt.as_ref().map(|kind| kind.place)),
        ("api_key", verifier.api_key.as_ref().map(|kind| kind.place)),
        ("basic", verifier.basic.as_ref().map(|kind| kind.place)),
        ("upstream", verifier.upstream.as_ref().map(|kind| kind.place)),
    ];
    exactly_one(verifier.place, "a verifier", &kinds, diagnostics);
    if let Some(upstream) = verifier.upstream.as_ref().filter(|upstream| !upstream.value) {
        diagnostics.push(
            Diagnostic::error(upstream.place, "`upstream: false` says of nobody that they check").help(
                "write `upstream: true` where the legacy service checks, or who does: jwt, api_key, basic",
            ),
        );
    }
}

/// Exactly one of these keys must be there.
fn exactly_one(place: Place, what: &str, keys: &[(&str, Option<Place>)], diagnostics: &mut Diagnostics) {
    let written: Vec<(&str, Place)> =
        keys.iter().filter_map(|(key, place)| Some((*key, (*place)?))).collect();
    let names = keys.iter().map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    match written.as_slice() {
        [_] => {}
        [] => diagnostics.push(
            Diagnostic::error(place, format!("{what} needs one of {names}")).help("add the one that fits"),
        ),
        [(first, earlier), (second, later), ..] => diagnostics.push(
            Diagnostic::error(*later, format!("`{first}` and `{second}` exclude each other"))
                .also(*earlier, format!("`{first}`"))
                .help("keep one of them"),
        ),
    }
}

fn check_issuer(issuer: &Located<JwtIssuer>, written: Option<&Node>, diagnostics: &mut Diagnostics) {
    // What could not be read of a list has been told.
    let is_empty =
        |key: &str| written.and_then(|one| one.get(key)).is_none_or(|list| list.items().is_empty());
    let keys = [
        ("jwks", issuer.jwks.as_ref().map(|key| key.place)),
        ("keys", issuer.keys.as_ref().map(|key| key.place)),
        ("secret", issuer.secret.as_ref().map(|key| key.place)),
    ];
    exactly_one(issuer.place, "an issuer", &keys, diagnostics);
    let texts = std::iter::once(("issuer", &issuer.issuer))
        .chain(issuer.audience.iter().map(|one| ("audience", one)));
    for (name, text) in texts.filter(|(_, text)| text.is_empty()) {
        let message = format!("`{name}` is empty");
        diagnostics.push(Diagnostic::error(text.place, message).help("write what its tokens say, exactly"));
    }
    if is_empty("audience") {
        diagnostics.push(
            Diagnostic::error(issuer.place, "`audience` is an empty list")
                .reason("a token that its issuer made for somebody else would be taken")
                .help("name what its tokens call this API: `audience: [common-api]`"),
        );
    }
    if is_empty("algorithms") {
        let help = "name those that its tokens are signed with: `algorithms: [RS256]`";
        diagnostics.push(Diagnostic::error(issuer.place, "`algorithms` is an empty list").help(help));
    }
    algorithms(issuer, diagnostics);
    if let Some(url) = &issuer.jwks {
        key_set_url(url, diagnostics);
    }
    if let Some(ca) = &issuer.ca {
        pem_file(ca, "CERTIFICATE", diagnostics);
        if !issuer.jwks.as_ref().is_some_and(|url| url.starts_with("https:")) {
            let message = "`ca` has no effect without `jwks: https://…`";
            diagnostics.push(Diagnostic::error(ca.place, message).help("remove it"));
        }
    }
    secret(issuer, diagnostics);
    if issuer.leeway.0 > LONGEST_LEEWAY {
        let message = format!("`leeway` is longer than {}s", LONGEST_LEEWAY.as_secs());
        let diagnostic = Diagnostic::error(issuer.leeway.place, message)
            .reason("every token would be taken for so long after it has expired")
            .help("write 30s, and let the clocks be set");
        diagnostics.push(diagnostic);
    }
}

/// A public key must never be taken for the secret of an HMAC: so no issuer has both kinds of algorithms.
fn algorithms(issuer: &Located<JwtIssuer>, diagnostics: &mut Diagnostics) {
    let unfit =
        issuer.algorithms.iter().find(|one| (one.value == Algorithm::HS256) != issuer.secret.is_some());
    match (&issuer.secret, unfit) {
        (_, None) => {}
        (Some(secret), Some(unfit)) => diagnostics.push(
            Diagnostic::error(unfit.place, format!("{} does not use a secret", unfit.name()))
                .also(secret.place, "the secret")
                .help("write `algorithms: [HS256]`, or give public keys: `jwks` or `keys`"),
        ),
        (None, Some(unfit)) if issuer.jwks.is_some() || issuer.keys.is_some() => diagnostics.push(
            Diagnostic::error(unfit.place, "HS256 needs a `secret`, and not public keys")
                .reason("whoever knows a public key could sign tokens with it")
                .help(if issuer.algorithms.len() == 1 {
                    "write the algorithm of the keys, RS256 say"
                } else {
                    "remove HS256"
                }),
        ),
        // That there are no keys at all has been told.
        (None, Some(_)) => {}
    }
}

fn key_set_url(url: &Located<String>, diagnostics: &mut Diagnostics) {
    let complaint = match Url::parse(url) {
        Err(_) => Some(("this is not a URL", "write the one of the issuer's key set: https://…")),
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => Some((
            "the URL of a key set holds no credentials: it is shown in logs",
            "remove them; key sets are public",
        )),
        Ok(parsed) => match parsed.scheme() {
            "https" => None,
            "http" if is_loopback(&parsed) => None,
            "http" => Some((
                "a key set is fetched over https",
                "write https://…: whoever can change the answer could sign every token",
            )),
            _ => Some(("this is not the URL of a key set", "write https://…")),
        },
    };
    if let Some((message, help)) = complaint {
        diagnostics.push(Diagnostic::error(url.place, message).help(help));
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn secret(issuer: &Located<JwtIssuer>, diagnostics: &mut Diagnostics) {
    let Some(secret) = &issuer.secret else { return };
    written_out("secret", secret, diagnostics);
    match secret.read() {
        Err(error) => diagnostics.push(unreadable(secret.place, &error)),
        Ok(text) if text.len() < SHORTEST_SECRET => {
            let message = format!("a `secret` has at least {SHORTEST_SECRET} bytes");
            let diagnostic = Diagnostic::error(secret.place, message)
                .reason("a shorter one can be guessed from a single token")
                .help("make one: `openssl rand -base64 48`, and give it to the issuer too");
            diagnostics.push(diagnostic);
        }
        Ok(_) => {}
    }
}

/// Two entries of one issuer would leave open which of them judges its tokens.
fn once(issuers: &[Located<JwtIssuer>], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for issuer in issuers {
        let place = issuer.issuer.place;
        if let Some(earlier) = seen.insert(&issuer.issuer, place) {
            diagnostics.push(
                Diagnostic::error(place, "this issuer stands twice in one verifier")
                    .also(earlier, "the first one")
                    .help("keep one entry, with every audience and algorithm that its tokens may have"),
            );
        }
    }
}
