//! `nats:` as written → the options of a connection.

use crate::config::{self, Secret as Written};
use crate::nats::{Auth, Options, Secret, Tls, api_prefix_of_domain};

/// The options of the connection that a configuration describes.
pub fn options(written: &config::Nats) -> Options {
    let mut options = Options {
        servers: written.servers.iter().map(|server| server.value.clone()).collect(),
        name: written.name.clone(),
        auth: auth(written),
        tls: written.tls.as_ref().map(|tls| Tls {
            ca: tls.ca.as_ref().map(|path| path.value.clone()),
            certificate: tls.certificate.as_ref().map(|path| path.value.clone()),
            key: tls.key.as_ref().map(|path| path.value.clone()),
            first: tls.first,
        }),
        connections: usize::from(written.connections.value),
        inbox_prefix: written.inbox_prefix.value.clone(),
        ping_interval: written.ping_interval.value.0,
        max_control_line: usize::try_from(written.max_control_line.value.0).unwrap_or(usize::MAX),
        ..Options::default()
    };
    if let Some(jetstream) = &written.jetstream {
        match (&jetstream.domain, &jetstream.api_prefix) {
            (Some(domain), _) => options.api_prefix = api_prefix_of_domain(&domain.value),
            (None, Some(prefix)) => options.api_prefix.clone_from(&prefix.value),
            (None, None) => {}
        }
    }
    options
}

/// That there is at most one kind has been checked when the file was loaded.
fn auth(written: &config::Nats) -> Auth {
    if let Some(credentials) = &written.credentials {
        return Auth::Credentials(secret(&credentials.value.0));
    }
    if let Some(seed) = &written.nkey {
        return Auth::NKey(secret(&seed.value));
    }
    if let Some(token) = &written.token {
        return Auth::Token(secret(&token.value));
    }
    match (&written.user, &written.password) {
        (Some(user), Some(password)) => Auth::UserPassword {
            user: Secret::Literal(user.value.clone()),
            password: secret(&password.value),
        },
        _ => Auth::None,
    }
}

fn secret(written: &Written) -> Secret {
    match written {
        Written::Literal(text) => Secret::Literal(text.clone()),
        Written::Env(name) => Secret::Env(name.clone()),
        Written::File(path) => Secret::File(path.clone()),
    }
}
