//! Key sets behind a URL: loaded in the background, rotated, attacked through the names of keys, and down.

use std::time::Duration;

use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Api, ME, count, invalid_token, me, people, refusal};
use crate::support::certificates;
use crate::support::gateway::Gateway;
use crate::support::issuer::{Behaviour, Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

#[tokio::test]
async fn a_thousand_unknown_keys_cause_one_fetch() {
    let api = Api::start().await;
    assert_eq!(api.issuer.fetches(), 1);
    let began = Instant::now();
    let token = |at: usize| {
        api.key.sign_with(&json!({ "alg": "ES256", "kid": format!("x{at}") }), &claims(json!({})))
    };
    for batch in 0..10 {
        let tokens: Vec<String> = (0..100).map(|at| token(batch * 100 + at)).collect();
        for answer in join_all(tokens.iter().map(|token| api.me(token))).await {
            assert_eq!(refusal(&answer).2, invalid_token("the token's key is not known"));
        }
    }
    // One at the start, and one for all of them; on a slow machine one more whenever it is allowed again.
    let allowed = 2 + usize::try_from(began.elapsed().as_secs() / 5).expect("a small number");
    assert!((2..=allowed).contains(&api.issuer.fetches()), "{} fetches", api.issuer.fetches());
    // Nobody waits for a fetch that is not allowed yet.
    assert!(api.me(&token(1_000)).await.took < Duration::from_secs(1));
    assert_eq!(api.me(&api.key.sign(&claims(json!({})))).await.status, 200);
}

#[tokio::test]
async fn keys_are_rotated_under_load_without_a_failed_request() {
    let api = Api::start().await;
    let next = Key::new("k2", Algorithm::ES256);
    let send = async |key: &Key, from: usize| {
        for at in from..from + 40 {
            let answer = api.me(&key.sign(&claims(json!({ "n": at })))).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    };
    let rotate = async {
        sleep(Duration::from_millis(30)).await;
        api.issuer.rotate(&[&api.key, &next]);
        // From now on tokens are signed with a key that the gateway has never seen.
        tokio::join!(send(&next, 1_000), send(&next, 2_000), send(&next, 3_000));
    };
    tokio::join!(send(&api.key, 0), send(&api.key, 100), rotate);
    assert_eq!(api.issuer.fetches(), 2);
    assert_eq!(count(&api.gateway.ready().await.json()), json!(2));
}

#[tokio::test]
async fn a_token_is_forgotten_when_its_key_leaves_the_set() {
    let api = Api::start().await;
    let next = Key::new("k2", Algorithm::ES256);
    let old = api.key.sign(&claims(json!({})));
    assert_eq!(api.me(&old).await.status, 200);
    api.issuer.rotate(&[&next]);
    assert_eq!(api.me(&old).await.status, 200, "nobody has asked for the new set yet");
    assert_eq!(api.me(&next.sign(&claims(json!({})))).await.status, 200);
    assert_eq!(refusal(&api.me(&old).await).2, invalid_token("the token's key is not known"));
    // The same name, and another key behind it.
    let again = Key::new("k2", Algorithm::ES256);
    let (before, after) = (next.sign(&claims(json!({}))), again.sign(&claims(json!({}))));
    assert_eq!(api.me(&before).await.status, 200);
    assert_eq!(refusal(&api.me(&after).await).2, invalid_token("the token's signature is not valid"));
}

#[tokio::test]
async fn without_any_key_set_nothing_is_said_about_the_token() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let key = Key::new("k1", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    issuer.behave(Behaviour::Status(500, "down".into()));
    let gateway = Gateway::start(&nats.url(), &format!("{}{ME}", people(&issuer, "ES256", ""))).await;
    issuer.fetched(1).await;
    let token = key.sign(&claims(json!({})));
    let answer = me(&gateway, &token).await;
    assert_eq!((answer.status, answer.problem()), (503, ("keys_unavailable", "not_executed")));
    assert_eq!((answer.header("retry-after"), answer.header("www-authenticate")), (Some("5"), None));
    assert_eq!(me(&gateway, "x.y.z").await.status, 401, "what is no token needs no key");
    let state = gateway.ready().await.json()["verifiers"]["people"]["issuers"][0]["keys"].clone();
    assert_eq!(state, json!({ "count": 0, "age_seconds": null, "last_error": "it answers 500" }));
    issuer.behave(Behaviour::Keys);
    gateway.until("keys", |ready| count(ready) == json!(1)).await;
    assert_eq!(me(&gateway, &token).await.status, 200);
}

#[tokio::test]
async fn the_first_requests_wait_for_the_first_fetch() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let key = Key::new("k1", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    issuer.behave(Behaviour::Silent);
    let gateway = Gateway::start(&nats.url(), &format!("{}{ME}", people(&issuer, "ES256", ""))).await;
    issuer.fetched(1).await;
    let began = Instant::now();
    let answer = me(&gateway, &key.sign(&claims(json!({})))).await;
    assert_eq!((answer.status, answer.problem().0), (503, "keys_unavailable"));
    let took = began.elapsed();
    assert!(
        took > Duration::from_millis(1_500) && took < Duration::from_secs(4),
        "not to the deadline: {took:?}"
    );
}

#[tokio::test]
async fn the_last_good_set_stays_when_a_fetch_fails() {
    let api = Api::start().await;
    let next = Key::new("k2", Algorithm::ES256);
    api.issuer.behave(Behaviour::Status(503, "{}".into()));
    // An unknown key asks for a fetch, which fails.
    let unknown = api.me(&next.sign(&claims(json!({})))).await;
    assert_eq!(refusal(&unknown).2, invalid_token("the token's key is not known"));
    let state = |ready: &serde_json::Value| ready["verifiers"]["people"]["issuers"][0]["keys"].clone();
    for (behaviour, expected) in [
        (Behaviour::Status(503, "{}".into()), "it answers 503"),
        (Behaviour::Status(200, "<html>maintenance</html>".into()), "it is no valid JSON"),
        (Behaviour::Status(200, "{\"keys\":[]}".into()), "no key in it can verify a signature"),
    ] {
        api.issuer.behave(behaviour);
        let is_told = |ready: &serde_json::Value| state(ready)["last_error"].to_string().contains(expected);
        api.gateway.until(expected, is_told).await;
        assert_eq!(count(&api.gateway.ready().await.json()), json!(1));
        assert_eq!(api.me(&api.key.sign(&claims(json!({})))).await.status, 200);
    }
    // It is tried again without being asked, and the error goes.
    api.issuer.rotate(&[&api.key, &next]);
    api.issuer.behave(Behaviour::Keys);
    api.gateway.until("keys", |ready| count(ready) == json!(2)).await;
    assert_eq!(api.me(&next.sign(&claims(json!({})))).await.status, 200);
    assert!(state(&api.gateway.ready().await.json())["last_error"].is_null());
}

/// What is told of a key set that never was loaded: in `/ready`, and once in the log.
async fn never_loaded(issuer: &Issuer, more: &str, expected: &str) {
    let nats = NatsServer::start().await;
    let yaml = format!("{}{ME}", people(issuer, "ES256", more));
    let gateway = Process::serve(&nats.url(), &yaml).await;
    gateway
        .until(expected, |ready| {
            let keys = &ready["verifiers"]["people"]["issuers"][0]["keys"];
            let error = keys["last_error"].as_str().unwrap_or("");
            keys["count"] == json!(0) && error.contains(expected)
        })
        .await;
    let told = |line: &serde_json::Value| line.to_string().contains("a key set cannot be fetched");
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        // A thread of its own writes the log.
        let lines: Vec<_> = gateway.log().into_iter().filter(told).collect();
        if lines.len() == 1 && lines[0].to_string().contains(&issuer.url) {
            return;
        }
        assert!(lines.is_empty() && Instant::now() < until, "{lines:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_is_no_key_set_is_never_loaded() {
    let key = Key::new("k1", Algorithm::ES256);
    let cases = [
        (Behaviour::Huge, "its answer is longer than 1048576 bytes"),
        (Behaviour::Redirect, "it answers 302, and redirections are not followed"),
        (Behaviour::Status(200, "<html></html>".into()), "it is no valid JSON"),
        (Behaviour::Status(200, "[]".into()), "it is no key set"),
        (Behaviour::Status(404, String::new()), "it answers 404"),
    ];
    join_all(cases.map(|(behaviour, expected)| async {
        let issuer = Issuer::start(&[&key]).await;
        issuer.behave(behaviour);
        never_loaded(&issuer, "", expected).await;
    }))
    .await;
}

/// Takes as long as a fetch may: ten seconds.
#[tokio::test]
async fn a_key_set_that_never_ends_is_given_up() {
    let key = Key::new("k1", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    issuer.behave(Behaviour::Endless);
    never_loaded(&issuer, "", "it does not answer in time").await;
}

#[tokio::test]
async fn certificates_are_verified() {
    let dir = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    certificates::write(dir.path());
    certificates::write(other.path());
    let key = Key::new("k1", Algorithm::ES256);
    let issuer = Issuer::secure(&[&key], dir.path()).await;
    let ca = |dir: &tempfile::TempDir| format!(", ca: '{}'", dir.path().join("ca.pem").display());
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let gateway = Gateway::start(&nats.url(), &format!("{}{ME}", people(&issuer, "ES256", &ca(&dir)))).await;
    gateway.until("keys", |ready| count(ready) == json!(1)).await;
    assert_eq!(me(&gateway, &key.sign(&claims(json!({})))).await.status, 200);
    // Another authority, and those of the system, do not vouch for it.
    let fetches = issuer.fetches();
    let foreign = ca(&other);
    tokio::join!(
        never_loaded(&issuer, &foreign, "invalid peer certificate"),
        never_loaded(&issuer, "", "invalid peer certificate"),
    );
    assert_eq!(issuer.fetches(), fetches, "something was asked for before the certificate was verified");
}
