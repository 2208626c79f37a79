//! Checks of `nats:`. Values may have come from variables and files, so no message repeats one.

use std::path::PathBuf;

use url::Url;

use super::above_zero;
use crate::config::elsewhere::unreadable;
use crate::config::{Nats, Secret, SecretError};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Located, Node};

/// Connections that a gateway may spread its operations over.
const MOST_CONNECTIONS: u16 = 64;

pub(super) fn check(nats: &Nats, tree: &Node, diagnostics: &mut Diagnostics) {
    servers(nats, tree, diagnostics);
    one_way_in(nats, diagnostics);
    secrets(nats, diagnostics);
    if let Some(tls) = &nats.tls {
        client_files(tls.ca.as_ref(), tls.certificate.as_ref(), tls.key.as_ref(), diagnostics);
    }
    if !(1..=MOST_CONNECTIONS).contains(&nats.connections) {
        let message = format!("`connections` must be 1 to {MOST_CONNECTIONS}");
        diagnostics.push(Diagnostic::error(nats.connections.place, message).help("one is enough for most"));
    }
    above_zero("ping_interval", Some(&nats.ping_interval), diagnostics);
    super::some_bytes("max_control_line", Some(&nats.max_control_line), diagnostics);
    subject("inbox_prefix", &nats.inbox_prefix, diagnostics);
    if let Some(jetstream) = &nats.jetstream {
        if let (Some(domain), Some(prefix)) = (&jetstream.domain, &jetstream.api_prefix) {
            both(("domain", domain.place), ("api_prefix", prefix.place), diagnostics);
        }
        let names = [("domain", &jetstream.domain), ("api_prefix", &jetstream.api_prefix)];
        for (name, value) in names {
            value.iter().for_each(|value| subject(name, value, diagnostics));
        }
    }
}

fn servers(nats: &Nats, tree: &Node, diagnostics: &mut Diagnostics) {
    if nats.servers.is_empty() {
        let place = tree.pointer("/nats/servers").map_or(tree.place, |servers| servers.place);
        diagnostics
            .push(Diagnostic::error(place, "`servers` is empty").help("name one: [nats://127.0.0.1:4222]"));
    }
    for server in &nats.servers {
        if let Err((message, help)) = server_url(server) {
            diagnostics.push(Diagnostic::error(server.place, message).help(help));
        }
    }
}

fn server_url(server: &str) -> Result<(), (&'static str, &'static str)> {
    let wrong = ("this is not the URL of a NATS server", "write nats://host:port or tls://host:port");
    let url = match server.contains("://") {
        true => Url::parse(server),
        false => Url::parse(&format!("nats://{server}")),
    };
    let url = url.map_err(|_| wrong)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "the URL of a server holds no credentials here: it is shown in logs",
            "put them under `nats`: user and password, or token, from { env: NAME } or { file: path }",
        ));
    }
    let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    match matches!(url.scheme(), "nats" | "tls") && url.has_host() && plain {
        true => Ok(()),
        false => Err(wrong),
    }
}

/// At most one kind of authentication, and that one complete.
fn one_way_in(nats: &Nats, diagnostics: &mut Diagnostics) {
    let user = nats.user.as_ref().map(|user| ("user", user.place));
    let password = nats.password.as_ref().map(|password| ("password", password.place));
    let ways: Vec<(&str, Place)> = [
        nats.credentials.as_ref().map(|way| ("credentials", way.place)),
        nats.nkey.as_ref().map(|way| ("nkey", way.place)),
        user.or(password),
        nats.token.as_ref().map(|way| ("token", way.place)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [first, others @ ..] = ways.as_slice() {
        others.iter().for_each(|other| both(*first, *other, diagnostics));
    }
    let (alone, other) = match (user, password) {
        (Some(user), None) => (user, "password"),
        (None, Some(password)) => (password, "user"),
        _ => return,
    };
    diagnostics.push(
        Diagnostic::error(alone.1, format!("`{}` without `{other}`", alone.0))
            .help(format!("add `{other}`, or use credentials, nkey or token")),
    );
}

fn both(first: (&str, Place), second: (&str, Place), diagnostics: &mut Diagnostics) {
    diagnostics.push(
        Diagnostic::error(second.1, format!("`{}` and `{}` exclude each other", first.0, second.0))
            .also(first.1, format!("`{}`", first.0))
            .help("keep one of them"),
    );
}

/// Every secret can be read now, and looks like what it should be.
fn secrets(nats: &Nats, diagnostics: &mut Diagnostics) {
    if let Some(credentials) = &nats.credentials {
        let content = credentials.read();
        let complete = |text: &String| text.contains("BEGIN NATS USER JWT") && text.contains("SEED");
        looks_like(credentials.place, content, complete, "a NATS credentials file (nsc)", diagnostics);
    }
    let named = [("nkey", &nats.nkey), ("password", &nats.password), ("token", &nats.token)];
    for (name, secret) in named.into_iter().filter_map(|(name, secret)| Some((name, secret.as_ref()?))) {
        let seed = |text: &String| name != "nkey" || text.trim().starts_with("SU");
        looks_like(secret.place, secret.read(), seed, "the seed of a user nkey (SU…)", diagnostics);
        written_out(name, secret, diagnostics);
    }
}

/// A secret that everybody who reads the configuration knows.
pub(super) fn written_out(name: &str, secret: &Located<Secret>, diagnostics: &mut Diagnostics) {
    if matches!(secret.value, Secret::Literal(_)) {
        diagnostics.push(
            Diagnostic::warning(secret.place, format!("`{name}` is written in the configuration itself"))
                .reason("whoever can read the file, its history or its backups has the secret")
                .help(format!("write {name}: {{ file: path }} or {name}: {{ env: NAME }}")),
        );
    }
}

fn looks_like(
    place: Place,
    content: Result<String, SecretError>,
    right: impl Fn(&String) -> bool,
    what: &str,
    diagnostics: &mut Diagnostics,
) {
    match content {
        Err(error) => diagnostics.push(unreadable(place, &error)),
        Ok(text) if !right(&text) => diagnostics.push(
            Diagnostic::error(place, format!("this is not {what}")).help("use the one of the gateway's user"),
        ),
        Ok(_) => {}
    }
}

/// The files of a client of TLS: authorities, and a certificate with its key.
pub(super) fn client_files(
    ca: Option<&Located<PathBuf>>,
    certificate: Option<&Located<PathBuf>>,
    key: Option<&Located<PathBuf>>,
    diagnostics: &mut Diagnostics,
) {
    match (certificate, key) {
        (Some(alone), None) => pair(alone, ("certificate", "key"), diagnostics),
        (None, Some(alone)) => pair(alone, ("key", "certificate"), diagnostics),
        _ => {}
    }
    let files = [(ca, "CERTIFICATE"), (certificate, "CERTIFICATE"), (key, "PRIVATE KEY")];
    for (path, label) in files.into_iter().filter_map(|(path, label)| Some((path?, label))) {
        pem_file(path, label, diagnostics);
    }
}

/// A file that must hold something in PEM.
pub(super) fn pem_file(path: &Located<PathBuf>, label: &str, diagnostics: &mut Diagnostics) {
    if path.value.to_string_lossy().contains('\n') {
        let message = "this is the content of a file, and not its path";
        return diagnostics.push(Diagnostic::error(path.place, message).help("write the path of a PEM file"));
    }
    match crate::file::read_regular(&path.value) {
        Err(error) => {
            let error = SecretError::File { path: path.value.clone(), reason: error.to_string() };
            diagnostics.push(unreadable(path.place, &error));
        }
        // Without one every handshake would fail, and nothing would say why.
        Ok(content) if !String::from_utf8_lossy(&content).contains(&format!("{label}-----")) => {
            let message = format!("there is no {} in this file", label.to_lowercase());
            diagnostics.push(Diagnostic::error(path.place, message).help("name a PEM file that has one"));
        }
        Ok(_) => {}
    }
}

fn pair(alone: &Located<PathBuf>, (name, other): (&str, &str), diagnostics: &mut Diagnostics) {
    diagnostics.push(
        Diagnostic::error(alone.place, format!("`{name}` without `{other}`")).help(format!("add `{other}`")),
    );
}

/// One or more tokens, without wildcards.
fn subject(name: &str, subject: &Located<String>, diagnostics: &mut Diagnostics) {
    let legal = |token: &str| {
        !token.is_empty()
            && !token.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '>'))
    };
    if !subject.split('.').all(legal) {
        diagnostics.push(
            Diagnostic::error(
                subject.place,
                format!("`{name}` must be made of tokens with dots between them"),
            )
            .help("no spaces, no wildcards, no empty token: _INBOX.gateway"),
        );
    }
}
