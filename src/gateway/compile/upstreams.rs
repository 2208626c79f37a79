//! The legacy services, and the operations that go there.

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;

use super::Compiled;
use crate::config::{self, Config, Digest, Forwarded, HttpVersion};
use crate::diagnostic::{Diagnostic, Diagnostics, most_like};
use crate::expression::Known;
use crate::forward::{Forward, Path};
use crate::translate::compile::Compiler;
use crate::upstream::{self, Options, Upstream};
use crate::yaml::Located;

/// Every upstream by its name, with the digest of what was written of it.
#[derive(Debug, Default)]
pub struct Upstreams(Vec<(Arc<Upstream>, Option<Digest>)>);

impl Upstreams {
    /// Makes them, unless `former` has them as they are written: their connections live on.
    pub(super) fn load(
        config: &Config,
        former: Option<&Compiled>,
        diagnostics: &mut Diagnostics,
    ) -> Upstreams {
        let mut upstreams = Upstreams::default();
        for (name, written) in &config.upstreams.0 {
            let digest = config.written.upstream(name);
            let known = former.and_then(|former| former.upstreams.as_it_was(name, digest));
            let before = former.and_then(|former| former.upstreams.of_name(name));
            let make = || Upstream::new(options(name, written), before).map(Arc::new);
            let made = known.map_or_else(make, Ok);
            match made {
                Ok(upstream) => upstreams.0.push((upstream, digest)),
                Err(reason) => diagnostics.push(
                    Diagnostic::error(written.place, format!("the upstream `{}` cannot be used", name.value))
                        .reason(reason)
                        .help("correct its TLS files"),
                ),
            }
        }
        unused(config, diagnostics);
        upstreams
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.0.iter().map(|(upstream, _)| upstream)
    }

    /// The legacy side of an operation, if it has one. The outer `None`: something is wrong with it.
    pub(super) fn forward(
        &self,
        (key, known): (&str, &Known<'_>),
        written: &config::Operation,
        diagnostics: &mut Diagnostics,
    ) -> Option<Option<Forward>> {
        let Some(forward) = &written.forward else { return Some(None) };
        let upstream = self.named(&forward.upstream, diagnostics);
        let mut compiler = Compiler { operation: key, known, diagnostics };
        let path = match &forward.path {
            None => Some(None),
            Some(path) => compiler.url_path(path).map(|path| Some(Path(path))),
        };
        let longest = written.limits.max_body.as_ref().map_or(u64::MAX, |most| most.value.0);
        Some(Some(Forward { upstream: upstream?, path: path?, longest }))
    }

    /// The upstream of a name; that there is none is told.
    pub(super) fn named(
        &self,
        name: &Located<String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<Upstream>> {
        let found = self.0.iter().map(|(upstream, _)| upstream).find(|one| one.name() == name.value);
        if found.is_none() {
            let names: Vec<&str> = self.all().map(|upstream| upstream.name()).collect();
            let help = match (most_like(&name.value, names.iter().copied()), names.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, true) => {
                    format!("describe it: `upstreams: {{ {}: {{ url: http://… }} }}`", name.value)
                }
                (None, false) => format!("name one of: {}", names.join(", ")),
            };
            let message = format!("there is no upstream `{}`", name.value);
            diagnostics.push(Diagnostic::error(name.place, message).help(help));
        }
        found.cloned()
    }

    fn of_name(&self, name: &str) -> Option<&Upstream> {
        self.all().find(|upstream| upstream.name() == name).map(|upstream| &**upstream)
    }

    fn as_it_was(&self, name: &str, digest: Option<Digest>) -> Option<Arc<Upstream>> {
        let known = self.0.iter().find(|(upstream, _)| upstream.name() == name);
        known.filter(|(_, written)| *written == digest).map(|(upstream, _)| Arc::clone(upstream))
    }
}

/// Tells of those that nothing leads to.
fn unused(config: &Config, diagnostics: &mut Diagnostics) {
    let operations = config.operations.0.iter().filter_map(|(_, operation)| operation.forward.as_ref());
    let forwards = operations.map(|forward| &forward.value.upstream);
    let used: Vec<&str> = forwards
        .chain(config.fallback.as_ref().map(|fallback| &fallback.upstream))
        .map(|upstream| upstream.as_str())
        .collect();
    for (name, _) in config.upstreams.0.iter().filter(|(name, _)| !used.contains(&name.as_str())) {
        diagnostics.push(
            Diagnostic::warning(name.place, format!("nothing leads to the upstream `{}`", name.value))
                .help("name it in `fallback` or in the `forward` of an operation, or remove it"),
        );
    }
}

fn options(name: &str, written: &config::Upstream) -> Options {
    let urls = written.url.iter().chain(&written.urls);
    Options {
        name: name.to_owned(),
        // One that is none has been told when the file was loaded.
        urls: urls.filter_map(|url| url.value.parse().ok()).collect(),
        connect_timeout: written.connect_timeout.0,
        first_byte_timeout: written.first_byte_timeout.0,
        idle_timeout: written.idle_timeout.0,
        host: match written.host.as_str() {
            "original" => upstream::Host::Original,
            "upstream" => upstream::Host::Upstream,
            // One that is no header has been told when the file was loaded.
            name => HeaderValue::from_str(name).map_or(upstream::Host::Original, upstream::Host::Name),
        },
        forwarded: upstream::Forwarded {
            x_forwarded: matches!(written.forwarded, Forwarded::XForwarded | Forwarded::Both),
            standard: matches!(written.forwarded, Forwarded::Standard | Forwarded::Both),
        },
        protocol: match written.http {
            HttpVersion::Auto => upstream::Protocol::Auto,
            HttpVersion::Http1 => upstream::Protocol::Http1,
            HttpVersion::Http2 => upstream::Protocol::Http2,
        },
        tls: written.tls.as_ref().map(|tls| tls_options(tls)).unwrap_or_default(),
        max_connections: written.max_connections.value as usize,
        failures: written.failures.value,
        retry_after: written.retry_after.0,
    }
}

fn tls_options(written: &config::UpstreamTls) -> upstream::Tls {
    let path = |path: &Option<Located<PathBuf>>| path.as_ref().map(|path| path.value.clone());
    upstream::Tls {
        ca: path(&written.ca),
        identity: path(&written.certificate).zip(path(&written.key)),
        server_name: written.server_name.as_ref().map(|name| name.value.clone()),
    }
}
