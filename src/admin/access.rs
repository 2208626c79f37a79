//! Who may use the API: whoever brings the token, or, where none is configured, whoever is on the gateway's own host.
//!
//! There is no cookie and no CORS header, so that no page of another origin can act for whoever has the console open. What
//! a proxy says of where a request comes from is never believed here: one on the host itself would make everybody local.

mod origin;
mod refusal;
mod token;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::config::{Secret, SecretError};
use refusal::{Refusal, Told};
use token::Token;

/// How long the answer to a wrong token takes.
const SLOW: Duration = Duration::from_millis(500);
/// How many wrong tokens may be waiting for their answer. With `SLOW`, so many can be tried in half a second; whoever has
/// the right one never waits.
const GUESSES: usize = 8;

/// The address at the other end of a connection of the admin listener.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub IpAddr);

/// What is asked of whoever uses the API.
#[derive(Debug)]
pub struct Access {
    token: Option<Token>,
    guesses: Semaphore,
    told: Told,
}

impl Access {
    /// Access by this token; without one, from the gateway's own host alone. Reads the token, blocking.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn new(token: Option<Secret>) -> Result<Access, SecretError> {
        let token = token.map(Token::read).transpose()?;
        Ok(Access { token, guesses: Semaphore::new(GUESSES), told: Told::default() })
    }

    /// Whether a token is asked for.
    pub fn by_token(&self) -> bool {
        self.token.is_some()
    }

    async fn check(&self, peer: Option<IpAddr>, parts: &Parts) -> Result<(), Refusal> {
        match &self.token {
            Some(token) => {
                origin::same(&parts.headers).then_some(()).ok_or(Refusal::OtherOrigin)?;
                self.with_token(token, &parts.headers).await?;
            }
            None => local(peer, parts)?,
        }
        changes_as_json(parts)
    }

    async fn with_token(&self, token: &Token, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = bearer(headers).ok_or(Refusal::NoToken)?;
        if token.is(given).await {
            return Ok(());
        }
        let Ok(_guess) = self.guesses.try_acquire() else { return Err(Refusal::TooManyGuesses) };
        sleep(SLOW).await;
        Err(Refusal::WrongToken)
    }
}

/// Lets a request pass, or answers it.
pub(super) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<PeerAddress>().map(|peer| peer.0.to_canonical());
    let (parts, body) = request.into_parts();
    match access.check(peer, &parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => {
            access.told.tell(&refusal, peer);
            refusal.answer()
        }
    }
}

/// Without a token: from this host, by none of its proxies, under a name that no other site can have.
fn local(peer: Option<IpAddr>, parts: &Parts) -> Result<(), Refusal> {
    if !peer.is_some_and(|ip| ip.is_loopback()) {
        return Err(Refusal::Elsewhere);
    }
    if let Some(header) = origin::forwarded(&parts.headers) {
        return Err(Refusal::Forwarded(header));
    }
    if !origin::is_local_name(parts) {
        return Err(Refusal::ForeignHost);
    }
    if !origin::same(&parts.headers) || !origin::is_own(&parts.headers) {
        return Err(Refusal::OtherOrigin);
    }
    Ok(())
}

/// Whatever is no mere reading has a content type that no form of a page can send.
fn changes_as_json(parts: &Parts) -> Result<(), Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json").then_some(()).ok_or(Refusal::NotJson)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = http::Request::builder().uri("/api/status").header("host", "localhost:9090");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let ip: IpAddr = peer.parse().unwrap();
        local(Some(ip.to_canonical()), &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn without_a_token_only_this_host_is_answered() {
        for peer in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(from(peer, &[]), Ok(()), "{peer}");
            let by_proxy = from(peer, &[("x-forwarded-for", "127.0.0.1")]);
            assert_eq!(by_proxy, Err(Refusal::Forwarded("X-Forwarded-For")), "{peer}");
        }
        for peer in ["10.0.0.1", "172.17.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.1", "2001:db8::1"] {
            assert_eq!(from(peer, &[("forwarded", "for=127.0.0.1")]), Err(Refusal::Elsewhere), "{peer}");
        }
        let parts = http::Request::builder().header("host", "localhost").body(()).unwrap().into_parts().0;
        assert_eq!(local(None, &parts), Err(Refusal::Elsewhere), "a peer that is not known");
    }
}
