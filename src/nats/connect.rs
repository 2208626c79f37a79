//! One attempt to reach one server: the client with its credentials and certificates, never to reconnect by itself.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_nats::rustls::crypto::aws_lc_rs;
use async_nats::{Client, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use tokio_util::task::AbortOnDropHandle;

use super::options::{Auth, Options};
use super::session::Session;
use super::vitals::Vitals;

/// Commands that may wait for the connection's task. A few, since what is in there cannot be taken back.
const COMMANDS: usize = 128;

/// Replies that may wait for the session's reader: more than a gateway lets in as requests.
const REPLIES: usize = 64 * 1024;

/// Nobody can listen there, so that the one reconnect which the client crate insists on fails at once.
const NOWHERE: &str = "nats://127.0.0.1:0";

/// A session with a server, proven to work. The error says why there is none, without a secret.
pub(super) async fn open(
    options: &Options,
    server: &ServerAddr,
    total: Arc<AtomicUsize>,
) -> Result<Session, String> {
    let inbox = format!("{}.{}.", options.inbox_prefix, nuid::next());
    let vitals = Arc::new(Vitals::new(inbox.clone(), total));
    let client = client(options, server, Arc::clone(&vitals)).await?;
    client.set_server_pool(NOWHERE).await.map_err(|error| error.to_string())?;
    Session::open(client, inbox, vitals, options).await
}

async fn client(options: &Options, server: &ServerAddr, vitals: Arc<Vitals>) -> Result<Client, String> {
    let client_options = client_options(options, server, vitals).await?;
    let server = server.clone();
    // In a task of its own: a server that greets with nonsense makes the client crate panic.
    let attempt = AbortOnDropHandle::new(tokio::spawn(client_options.connect(server)));
    // A name may stand for several addresses, each of which has the time for itself.
    let patience = options.connect_timeout * 4;
    match tokio::time::timeout(patience, attempt).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) => Err(with_sources(&error)),
        Ok(Err(_)) => Err("the server's greeting cannot be understood; does nats listen there?".to_owned()),
        Err(_) => Err(format!("no connection within {patience:?}")),
    }
}

async fn client_options(
    options: &Options,
    server: &ServerAddr,
    vitals: Arc<Vitals>,
) -> Result<ConnectOptions, String> {
    let base = ConnectOptions::new()
        .name(&options.name)
        .connection_timeout(options.connect_timeout)
        .ping_interval(options.ping_interval)
        .client_capacity(COMMANDS)
        .subscription_capacity(REPLIES)
        .ignore_discovered_servers()
        .max_reconnects(1)
        .reconnect_delay_callback(|_| Duration::ZERO)
        .event_callback(move |event| {
            vitals.on(&event);
            std::future::ready(())
        });
    authenticated(encrypted(base, options), &options.auth, server).await
}

fn encrypted(base: ConnectOptions, options: &Options) -> ConnectOptions {
    // Which of the process's crypto libraries is meant must not depend on what else was compiled in.
    let _already = aws_lc_rs::default_provider().install_default();
    let Some(tls) = &options.tls else { return base };
    let mut base = base.require_tls(true);
    if let Some(ca) = &tls.ca {
        base = base.add_root_certificates(ca.clone());
    }
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        base = base.add_client_certificate(certificate.clone(), key.clone());
    }
    if tls.first { base.tls_first() } else { base }
}

/// Reads every secret anew: what was rotated since the last session is picked up.
async fn authenticated(
    base: ConnectOptions,
    auth: &Auth,
    server: &ServerAddr,
) -> Result<ConnectOptions, String> {
    Ok(match auth {
        Auth::None => from_url(base, server),
        Auth::Credentials(path) => base
            .credentials_file(path)
            .await
            .map_err(|error| format!("cannot use the credentials of {}: {error}", path.display()))?,
        Auth::NKey(seed) => base.nkey(seed.read().await?),
        Auth::UserPassword { user, password } => {
            base.user_and_password(user.read().await?, password.read().await?)
        }
        Auth::Token(token) => base.token(token.read().await?),
    })
}

/// The client crate reads no credentials from a URL.
fn from_url(base: ConnectOptions, server: &ServerAddr) -> ConnectOptions {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (server.username(), server.password()) {
        (Some(user), Some(password)) => base.user_and_password(decode(user), decode(password)),
        (Some(token), None) => base.token(decode(token)),
        _ => base,
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string().to_lowercase();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text.to_lowercase()) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
