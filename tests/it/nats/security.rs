//! Credentials, certificates and permissions.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natsgate::nats::{Auth, Failure, Nats, Options, OptionsError, Secret, Tls};
use nkeys::KeyPair;
use serde_json::json;
use tokio::time::Instant;

use super::{PATIENCE, ask, connected, echo, options, until, within};
use crate::support::certificates;
use crate::support::nats_server::NatsServer;

/// Not connected, for a reason that holds this text.
async fn refused(options: Options, reason: &str) {
    let nats = Nats::start(options).expect("options are right");
    let told = || nats.status().last_error.is_some_and(|error| error.contains(reason));
    let end = within(PATIENCE);
    while !told() {
        assert!(Instant::now() < end, "{reason:?} is not told but {:?}", nats.status().last_error);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!nats.is_connected());
}

#[tokio::test]
async fn a_token_lets_in() {
    let server = NatsServer::with("authorization { token: s3cret }").await;
    let token = Auth::Token(Secret::Literal("s3cret".to_owned()));
    connected(Options { auth: token, ..options(server.url()) }).await;
    refused(options(server.url()), "authorization violation").await;
    connected(options(format!("nats://s3cret@127.0.0.1:{}", server.port()))).await;
}

#[tokio::test]
async fn a_password_that_was_changed_is_read_again() {
    let users =
        |password: &str| format!("authorization {{ users [{{ user: gate, password: {password} }}] }}");
    let mut server = NatsServer::with(&users("old")).await;
    let file = server.dir().join("password");
    std::fs::write(&file, "old\n").expect("password");
    let auth =
        Auth::UserPassword { user: Secret::Literal("gate".to_owned()), password: Secret::File(file.clone()) };
    let nats = connected(Options { auth, ..options(server.url()) }).await;

    server.configure(&users("new"));
    server.restart().await;
    until("the old password is refused", || {
        nats.status().last_error.is_some_and(|error| error.contains("authorization violation"))
    })
    .await;
    assert!(!nats.is_connected());
    std::fs::write(&file, "new\n").expect("password");
    assert!(nats.connected(within(PATIENCE)).await, "{:?}", nats.status());
}

#[tokio::test]
async fn an_nkey_lets_in() {
    let key = KeyPair::new_user();
    let server =
        NatsServer::with(&format!("authorization {{ users [{{ nkey: {} }}] }}", key.public_key())).await;
    let seed = server.dir().join("seed");
    std::fs::write(&seed, key.seed().expect("seed")).expect("seed");
    connected(Options { auth: Auth::NKey(Secret::File(seed)), ..options(server.url()) }).await;
    let stranger = Secret::Literal(KeyPair::new_user().seed().expect("seed"));
    refused(Options { auth: Auth::NKey(stranger), ..options(server.url()) }, "authorization violation").await;
}

/// A JWT as the server takes it.
fn jwt(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &serde_json::Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let claims = json!({
        "jti": name, "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(),
        "name": name, "nats": nats,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = issuer.sign(signed.as_bytes()).expect("signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn credentials(account: &KeyPair) -> String {
    let user = KeyPair::new_user();
    let limits = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    format!(
        "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        jwt(account, &user, "gate", &limits),
        user.seed().expect("seed")
    )
}

#[tokio::test]
async fn a_credentials_file_that_was_replaced_is_read_again() {
    let (operator, old, new) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let limits = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1,
        "wildcards": true });
    let account = json!({ "type": "account", "version": 2, "limits": limits });
    let system = KeyPair::new_account();
    let accept = |key: &KeyPair| {
        format!(
            "operator: {}\nsystem_account: {sys}\nresolver: MEMORY\nresolver_preload {{ {sys}: {}, {}: {} }}\n",
            jwt(&operator, &operator, "op", &json!({ "type": "operator", "version": 2 })),
            jwt(&operator, &system, "system", &account),
            key.public_key(),
            jwt(&operator, key, "account", &account),
            sys = system.public_key(),
        )
    };
    let mut server = NatsServer::with(&accept(&old)).await;
    let file = server.dir().join("gate.creds");
    std::fs::write(&file, credentials(&old)).expect("credentials");
    let auth = Auth::Credentials(file.clone());
    let nats = connected(Options { auth, ..options(server.url()) }).await;

    server.configure(&accept(&new));
    server.restart().await;
    until("the old account is refused", || {
        nats.status().last_error.is_some_and(|error| error.contains("authorization violation"))
    })
    .await;
    std::fs::write(&file, credentials(&new)).expect("credentials");
    assert!(nats.connected(within(PATIENCE)).await, "{:?}", nats.status());
}

#[tokio::test]
async fn a_missing_secret_is_named_and_looked_for_again() {
    let server = NatsServer::with("authorization { token: s3cret }").await;
    let file = server.dir().join("token");
    let auth = Auth::Token(Secret::File(file.clone()));
    let nats = Nats::start(Options { auth, ..options(server.url()) }).expect("options are right");
    until("the file is named", || nats.status().last_error.is_some_and(|e| e.contains("/token"))).await;
    std::fs::write(&file, "s3cret").expect("token");
    assert!(nats.connected(within(PATIENCE)).await);
    let url = Nats::start(options("nats://gate:s3cret@127.0.0.1:1")).expect("options are right");
    let shown = format!("{nats:?} {url:?} {:?}", Secret::Literal("s3cret".to_owned()));
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn certificates_on_both_sides_and_either_handshake() {
    for (first, more) in [(false, ""), (true, "handshake_first: true")] {
        let config = format!(
            "tls {{ cert_file: \"$DIR/server.pem\", key_file: \"$DIR/server.key\", ca_file: \"$DIR/ca.pem\",
             verify: true, {more} }}"
        );
        let mut server = NatsServer::prepared(&config);
        certificates::write(server.dir());
        server.spawn();
        let file = |name: &str| Some(server.dir().join(name));
        let tls = Tls { ca: file("ca.pem"), certificate: file("client.pem"), key: file("client.key"), first };
        let with = |tls: Tls| Options { tls: Some(tls), ..options(server.url()) };
        let nats = connected(with(tls.clone())).await;
        assert_eq!(ask(&nats, "nobody.here", PATIENCE).await.unwrap_err(), Failure::NoResponders);
        refused(with(Tls { certificate: None, key: None, ..tls.clone() }), "ertificate").await;
        refused(with(Tls { ca: None, ..tls }), "ertificate").await;
    }
}

#[tokio::test]
async fn a_subject_without_permission_is_told_at_once() {
    let server = NatsServer::with(
        "authorization { users [
            { user: gate, password: gate, permissions: { publish: [\"users.>\", \"_INBOX.>\"], subscribe: \"_INBOX.>\" } },
            { user: admin, password: admin } ] }",
    )
    .await;
    let nats = connected(options(format!("nats://gate:gate@127.0.0.1:{}", server.port()))).await;
    let start = Instant::now();
    let failure = ask(&nats, "orders.new", PATIENCE).await.unwrap_err();
    assert_eq!(failure, Failure::Denied { subject: "orders.new".to_owned() });
    assert!(failure.not_executed() && start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(ask(&nats, "users.get", PATIENCE).await.unwrap_err(), Failure::NoResponders);
    assert_eq!(nats.status().reconnects, 0);
}

#[tokio::test]
async fn a_user_who_may_not_publish_to_its_inbox_is_good_enough() {
    let server = NatsServer::with(
        "authorization { users [
            { user: gate, password: gate, permissions: { publish: \"users.>\", subscribe: \"_INBOX.>\" } },
            { user: admin, password: admin } ] }",
    )
    .await;
    let url = |user: &str| format!("nats://{user}:{user}@127.0.0.1:{}", server.port());
    let interval = Duration::from_millis(50);
    let nats = connected(Options { ping_interval: interval, ..options(url("gate")) }).await;
    let admin = async_nats::ConnectOptions::with_user_and_password("admin".into(), "admin".into())
        .connect(server.url())
        .await
        .expect("admin");
    let _echo = echo(&admin, "users.get").await;
    tokio::time::sleep(5 * interval).await;
    ask(&nats, "users.get", PATIENCE).await.expect("reply");
    assert_eq!(nats.status().reconnects, 0);
}

#[tokio::test]
async fn a_user_who_may_not_subscribe_to_its_inbox_is_told_what_to_grant() {
    let server = NatsServer::with(
        "authorization { users [ { user: gate, password: gate,
            permissions: { publish: \">\", subscribe: [\"_INBOX_gate.>\"] } } ] }",
    )
    .await;
    let url = format!("nats://gate:gate@127.0.0.1:{}", server.port());
    refused(options(url.clone()), "subscribe to _INBOX.>").await;
    connected(Options { inbox_prefix: "_INBOX_gate".to_owned(), ..options(url) }).await;
}

#[tokio::test]
async fn options_that_can_never_work_are_refused() {
    let refusal = |options: Options| Nats::start(options).err();
    assert_eq!(refusal(Options { servers: Vec::new(), ..Options::default() }), Some(OptionsError::NoServer));
    assert_eq!(refusal(Options { connections: 0, ..Options::default() }), Some(OptionsError::Zero));
    let half = Tls { certificate: Some("c.pem".into()), ..Tls::default() };
    assert_eq!(
        refusal(Options { tls: Some(half), ..Options::default() }),
        Some(OptionsError::HalfClientCertificate)
    );
    for prefix in ["", "_INBOX.", "a b", "_INBOX.>"] {
        let options = Options { inbox_prefix: prefix.to_owned(), ..Options::default() };
        assert_eq!(refusal(options), Some(OptionsError::BadInboxPrefix(prefix.to_owned())));
    }
    let error = refusal(options("http://me:hunter2@host")).expect("refused").to_string();
    assert!(error.contains("http://host") && !error.contains("hunter2"), "{error}");
}
