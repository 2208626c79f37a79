//! Checks of `server:` beyond its addresses. Paths may be shown, what stands in the files may not.

use std::path::PathBuf;

use super::nats::written_out;
use super::{above_zero, at_least_one};
use crate::config::elsewhere::unreadable;
use crate::config::{ByteSize, Secret, Server, ServerTls, token_fault};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::tls::{self, File};
use crate::yaml::Located;

/// What a head needs at least: a browser's own fields and a token.
const SMALLEST_HEAD: u64 = 1 << 10;
const LARGEST_HEAD: u64 = 1 << 20;
const SMALLEST_URI: u64 = 64;
/// The longest that the HTTP library reads.
const LARGEST_URI: u64 = (1 << 16) - 2;

pub(super) fn check(server: &Server, diagnostics: &mut Diagnostics) {
    at_least_one("max_connections", Some(&server.max_connections), diagnostics);
    let timeouts = &server.timeouts;
    for (name, span) in [("header", &timeouts.header), ("body", &timeouts.body), ("idle", &timeouts.idle)] {
        above_zero(name, Some(span), diagnostics);
    }
    size("max_headers", &server.max_headers, (SMALLEST_HEAD, "1KiB"), (LARGEST_HEAD, "1MiB"), diagnostics);
    size("max_uri", &server.max_uri, (SMALLEST_URI, "64"), (LARGEST_URI, "65534 bytes"), diagnostics);
    if let Some(token) = &server.admin_token {
        check_token(token, diagnostics);
    }
    if let Some(docs) = &server.docs {
        check_docs(docs, diagnostics);
    }
    if let Some(tls) = &server.tls {
        check_tls(tls, diagnostics);
    }
}

fn size(
    name: &str,
    size: &Located<ByteSize>,
    least: (u64, &str),
    most: (u64, &str),
    diagnostics: &mut Diagnostics,
) {
    if !(least.0..=most.0).contains(&size.0) {
        diagnostics.push(
            Diagnostic::error(size.place, format!("`{name}` must be from {} to {}", least.1, most.1))
                .help(format!("remove `{name}` for the default, which is enough for most")),
        );
    }
}

fn check_token(token: &Located<Secret>, diagnostics: &mut Diagnostics) {
    match token.read() {
        Err(error) => diagnostics.push(unreadable(token.place, &error)),
        Ok(text) => {
            if let Some(fault) = token_fault(&text) {
                diagnostics.push(
                    Diagnostic::error(token.place, format!("`admin_token` {fault}"))
                        .reason("whoever has it may reload the gateway and read how it is set up")
                        .help("make one: openssl rand -hex 32"),
                );
            }
        }
    }
    written_out("admin_token", token, diagnostics);
}

/// It becomes a part of addresses and of a page as it stands.
fn check_docs(docs: &Located<String>, diagnostics: &mut Diagnostics) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let legal = |step: &str| !matches!(step, "" | "." | "..") && step.bytes().all(plain);
    let steps = docs.value.strip_prefix('/').map(|steps| steps.split('/').all(legal));
    if steps != Some(true) {
        let message = format!("`{}` is no path for the docs", docs.value);
        let help = "write one like `/docs`: letters, digits, `-`, `.`, `_`, `~`, and no slash at the end";
        diagnostics.push(Diagnostic::error(docs.place, message).help(help));
    }
}

fn check_tls(tls: &ServerTls, diagnostics: &mut Diagnostics) {
    let paths = [Some(&tls.certificate), Some(&tls.key), tls.client_ca.as_ref()];
    let contents: Vec<&Located<PathBuf>> =
        paths.into_iter().flatten().filter(|path| path.to_string_lossy().contains('\n')).collect();
    for path in &contents {
        let message = "this is the content of a file, and not its path";
        diagnostics.push(Diagnostic::error(path.place, message).help("write the path of a PEM file"));
    }
    if !contents.is_empty() {
        return;
    }
    for fault in tls::faults(&tls.files()) {
        let path = match fault.file {
            File::Certificate => &tls.certificate,
            File::Key => &tls.key,
            File::ClientCa => tls.client_ca.as_ref().unwrap_or(&tls.certificate),
        };
        diagnostics.push(Diagnostic::error(path.place, fault.message).help(fault.help));
    }
}
