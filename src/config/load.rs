//! Reads the configuration and its includes, in one run, into one list of problems.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::elsewhere::{self, beside};
use super::{
    Config, Operation, Overrides, Secret, ServerTls, Tls, UpstreamTls, Verifier, Written, check, hide,
    include, later, written,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::file;
use crate::yaml::{self, Entries, Key, Located, Node};

/// Reads the file at `path` and everything that it includes. Blocking.
///
/// The configuration is there whenever something of it could be read, so that contracts and the compiler can
/// add their problems to the same list; it is fit for use only if the list [has no errors](Diagnostics::has_errors).
/// Paths in it are relative to the working directory or absolute; every operation in it has a legal, unique
/// name and exactly one binding.
pub fn load(path: &Path, overrides: &Overrides) -> (Option<Config>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let config = read(path, overrides, &mut diagnostics);
    (config, diagnostics)
}

fn read(path: &Path, overrides: &Overrides, diagnostics: &mut Diagnostics) -> Option<Config> {
    let mut tree = match read_tree(path, diagnostics) {
        Ok(tree) => tree?,
        Err(error) => {
            missing(path, &error, diagnostics);
            return None;
        }
    };
    if let Some(other) = something_else(&tree, path) {
        diagnostics.push(other);
        return None;
    }
    overrides.apply(&mut tree, diagnostics);
    elsewhere::resolve(&mut tree, diagnostics);
    let mut config: Config = yaml::read(tree.clone(), later::is_later, diagnostics)?;
    config.written = Written::of(&tree);
    resolve_paths(&mut config, diagnostics);
    check::process(&config, &tree, diagnostics);
    let mut operations = Operations::default();
    operations.add(&tree, std::mem::take(&mut config.operations), diagnostics);
    include::read(path, &config.include, &mut operations, diagnostics);
    config.operations = operations.kept;
    Some(config)
}

/// Reads one file into a tree; `None` if it is no valid YAML, which is noted.
pub(super) fn read_tree(path: &Path, diagnostics: &mut Diagnostics) -> io::Result<Option<Node>> {
    let text = file::read_text(path, LONGEST)?;
    let file = diagnostics.add_source(path, text);
    let tree = yaml::parse(file, diagnostics);
    match &tree {
        Some(tree) => hide::hide(tree, diagnostics),
        None => hide::hide_by_lines(file, diagnostics),
    }
    Ok(tree)
}

/// The largest file of configuration, in bytes.
const LONGEST: u64 = 64 << 20;

/// What `natsgate init` writes.
const FIRST: &str = "natsgate.yaml";

fn missing(path: &Path, error: &io::Error, diagnostics: &mut Diagnostics) {
    let help = match path != Path::new(FIRST) && Path::new(FIRST).is_file() {
        true => format!("there is one here: --config {FIRST}"),
        false => {
            "name the file with --config or NATSGATE_CONFIG; `natsgate init` writes a first one".to_owned()
        }
    };
    let place = Place::file(diagnostics.add_source(path, ""));
    diagnostics
        .push(Diagnostic::error(place, format!("the configuration cannot be read: {error}")).help(help));
}

/// A contract or a manifest in the place of the configuration: one problem, and not one for each of its keys.
fn something_else(tree: &Node, path: &Path) -> Option<Diagnostic> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (key, what, named_by) = [
        ("openapi", "an OpenAPI document", format!("contracts: [{{ file: {name} }}]")),
        ("swagger", "a Swagger document", format!("contracts: [{{ file: {name} }}]")),
        ("apiVersion", "a manifest", format!("manifests: [{name}]")),
    ]
    .into_iter()
    .find_map(|(key, what, named_by)| Some((tree.entry(key)?.0, what, named_by)))?;
    Some(
        Diagnostic::error(key.place, format!("this is {what}, and no configuration"))
            .help(format!("write a configuration beside it that names it: `{named_by}`")),
    )
}

/// Makes the paths independent of the files in which they stand.
fn resolve_paths(config: &mut Config, diagnostics: &Diagnostics) {
    let plain = |path: &mut Located<PathBuf>| path.value = beside(diagnostics, path.place, &path.value);
    config.contracts.iter_mut().map(|contract| &mut contract.value.file).for_each(plain);
    config.manifests.iter_mut().for_each(plain);
    let nats = &mut config.nats;
    if let Some(tls) = &mut nats.tls {
        let Tls { ca, certificate, key, .. } = &mut tls.value;
        [ca, certificate, key].into_iter().flatten().for_each(plain);
    }
    for (_, upstream) in &mut config.upstreams.0 {
        let Some(tls) = &mut upstream.value.tls else { continue };
        let UpstreamTls { ca, certificate, key, .. } = &mut tls.value;
        [ca, certificate, key].into_iter().flatten().for_each(plain);
    }
    for (_, verifier) in &mut config.security.0 {
        let Verifier { jwt, api_key, basic, upstream: _ } = &mut verifier.value;
        for issuer in jwt.iter_mut().flat_map(|issuers| &mut issuers.value) {
            [&mut issuer.value.ca, &mut issuer.value.keys].into_iter().flatten().for_each(plain);
        }
        api_key.iter_mut().for_each(|keys| plain(&mut keys.value.keys));
        basic.iter_mut().for_each(|users| plain(&mut users.value.users));
    }
    if let Some(tls) = &mut config.server.tls {
        let ServerTls { certificate, key, client_ca } = &mut tls.value;
        [Some(certificate), Some(key), client_ca.as_mut()].into_iter().flatten().for_each(plain);
    }
    let otlp = config.telemetry.traces.as_mut().map(|traces| &mut traces.value.otlp);
    let (collectors_ca, headers) = otlp.map(|otlp| (&mut otlp.ca, &mut otlp.headers)).unzip();
    collectors_ca.into_iter().flatten().for_each(plain);
    let secret = |secret: &mut Secret, place| {
        if let Secret::File(path) = secret {
            *path = beside(diagnostics, place, path);
        }
    };
    if let Some(credentials) = &mut nats.credentials {
        secret(&mut credentials.value.0, credentials.place);
    }
    let shared = config.security.0.iter_mut().filter_map(|(_, verifier)| verifier.value.jwt.as_mut());
    let shared = shared.flat_map(|issuers| issuers.value.iter_mut().map(|issuer| &mut issuer.value.secret));
    let own = [&mut nats.nkey, &mut nats.password, &mut nats.token, &mut config.server.admin_token];
    for source in own.into_iter().chain(shared).flatten() {
        secret(&mut source.value, source.place);
    }
    for (_, source) in headers.into_iter().flat_map(|headers| &mut headers.0) {
        secret(&mut source.value, source.place);
    }
}

/// The operations of all files, each name once.
#[derive(Default)]
pub(super) struct Operations {
    kept: Entries<Operation>,
    seen: HashMap<String, Place>,
}

impl Operations {
    /// Adds those of one file. The tree tells what was written where reading had to cut something.
    pub(super) fn add(&mut self, tree: &Node, typed: Entries<Operation>, diagnostics: &mut Diagnostics) {
        let written = tree.get("operations").map_or(&[][..], Node::entries);
        let (mut named, mut bound) = (HashSet::new(), HashMap::new());
        for (key, node) in written {
            if let Some(first) = self.seen.get(&key.name) {
                diagnostics.push(twice(key, *first));
                continue;
            }
            self.seen.insert(key.name.clone(), key.place);
            if check::key(key, diagnostics) {
                named.insert(key.place);
            }
            if check::binding(key, node, diagnostics) {
                bound.insert(key.place, written::of_operation(node));
            }
            check::without_rate(node, diagnostics);
        }
        for (name, mut operation) in typed.0 {
            check::operation(&operation, diagnostics);
            let Some(digest) = bound.get(&name.place).filter(|_| named.contains(&name.place)) else {
                continue;
            };
            operation.written = *digest;
            if operation.binding().is_some() || operation.forward.is_some() {
                self.kept.0.push((name, operation));
            }
        }
    }
}

fn twice(key: &Key, first: Place) -> Diagnostic {
    Diagnostic::error(key.place, format!("the operation `{}` is there twice", key.name))
        .also(first, "the first one")
        .help("keep one of them, or give the other its own name")
}
