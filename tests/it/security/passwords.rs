//! Users with passwords: right, wrong, unknown, malformed, too many at once, and changed.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::json;

use super::refusal;
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const YAML: &str = "security:
  staff: { basic: { users: users.yaml } }
operations:
  GET /me:
    security: [{ staff: [] }]
    request: { subject: me, payload: { name: \"${caller.name}\" } }
";
const CHALLENGE: &str = "Basic realm=\"staff\", charset=\"UTF-8\"";

/// A hash that is quick to check, as a test that is not compiled for speed needs it.
fn bcrypt(password: &str, cost: u32) -> String {
    bcrypt::hash(password, cost).expect("a hash")
}

fn argon2(password: &str) -> String {
    use argon2::password_hash::phc::PasswordHash;
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let params = Params::new(64, 1, 1, None).expect("parameters");
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash =
        hasher.hash_password_with_salt(password.as_bytes(), b"saltsalt").expect("a hash");
    hash.to_string()
}

async fn login(gateway: &Gateway, credentials: &str) -> Answer {
    let header = format!("Basic {}", STANDARD.encode(credentials));
    gateway.send("GET", "/me", &[("Authorization", &header)], b"").await
}

#[tokio::test]
async fn users_are_known_by_their_passwords() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let users = format!("ada: {}\nbob: {}\n", bcrypt("pass:word", 4), argon2("püss"));
    let gateway = Gateway::start_with(&nats.url(), YAML, &[("users.yaml", &users)]).await;
    for (credentials, name) in [("ada:pass:word", "ada"), ("bob:püss", "bob"), ("ada:pass:word", "ada")] {
        let answer = login(&gateway, credentials).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "name": name })), "{credentials}");
    }
    for credentials in
        ["ada:", "ada:pass", "ada:püss", "bob:pass:word", "eve:pass:word", ":", "Ada:pass:word", ":pass"]
    {
        let answer = login(&gateway, credentials).await;
        assert_eq!(refusal(&answer), (401, "unauthenticated", CHALLENGE), "{credentials}");
        assert_eq!(answer.json()["detail"], "the user or the password is wrong");
    }
    let nobody = gateway.get("/me").await;
    assert_eq!(refusal(&nobody), (401, "unauthenticated", CHALLENGE));
    for header in [
        "Basic",
        "Basic ada:pass:word",
        "Basic %%%",
        &format!("Basic {}", STANDARD.encode("ada")),
        &format!("Basic {}", STANDARD.encode([0xff, b':', b'x'])),
        &format!("Basic {}", STANDARD.encode(format!("ada:{}", "x".repeat(2_000)))),
    ] {
        let answer = gateway.send("GET", "/me", &[("Authorization", header)], b"").await;
        assert_eq!(refusal(&answer), (401, "unauthenticated", CHALLENGE), "{header}");
        assert_eq!(answer.json()["detail"], "the credentials are malformed", "{header}");
    }
    let debug = format!("{:?}", gateway.inner);
    assert!(debug.contains("staff") && !debug.contains("$2b$") && !debug.contains("pass:word"), "{debug}");
    let unpadded = STANDARD.encode("bob:püss").trim_end_matches('=').to_owned();
    let answer = gateway.send("GET", "/me", &[("Authorization", &format!("basic {unpadded}"))], b"").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_changed_password_holds_at_once() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let gateway =
        Gateway::start_with(&nats.url(), YAML, &[("users.yaml", &format!("ada: {}\n", bcrypt("old", 4)))])
            .await;
    assert_eq!(login(&gateway, "ada:old").await.status, 200);
    gateway.replace("users.yaml", &format!("ada: {}\nbob: {}\n", bcrypt("new", 4), bcrypt("b", 4)));
    gateway.until("two users", |ready| ready["verifiers"]["staff"]["users"]["count"] == json!(2)).await;
    assert_eq!(
        (login(&gateway, "ada:old").await.status, login(&gateway, "ada:new").await.status),
        (401, 200)
    );
}

/// How long a refusal takes.
async fn refused(gateway: &Gateway, credentials: &str) -> Duration {
    let began = Instant::now();
    assert_eq!(login(gateway, credentials).await.status, 401);
    began.elapsed()
}

#[tokio::test]
async fn nobody_finds_out_who_is_a_user() {
    let nats = NatsServer::start().await;
    let users = format!("ada: {}\n", bcrypt("secret", 6));
    let gateway = Gateway::start_with(&nats.url(), YAML, &[("users.yaml", &users)]).await;
    // In turns, and the quickest of each: what else the machine does only ever makes an answer slower.
    let (mut wrong, mut unknown) = (Duration::MAX, Duration::MAX);
    for at in 0..20 {
        wrong = wrong.min(refused(&gateway, &format!("ada:wrong{at}")).await);
        unknown = unknown.min(refused(&gateway, &format!("eve:wrong{at}")).await);
    }
    let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
    assert!((0.4..2.5).contains(&ratio), "wrong {wrong:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn too_many_passwords_at_once_are_refused_and_the_right_one_is_remembered() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let users = format!("ada: {}\n", bcrypt("secret", 8));
    let gateway = Gateway::start_with(&nats.url(), YAML, &[("users.yaml", &users)]).await;
    assert_eq!(login(&gateway, "ada:secret").await.status, 200);
    let guesses: Vec<String> = (0..300).map(|at| format!("ada:{at}")).collect();
    let flood = join_all(guesses.iter().map(|guess| login(&gateway, guess)));
    // Who is known by now is not refused because of those who guess.
    let known = async {
        for _ in 0..20 {
            assert_eq!(login(&gateway, "ada:secret").await.status, 200);
        }
    };
    let (answers, ()) = tokio::join!(flood, known);
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(count(401) + count(503), 300);
    assert!(count(503) > 0 && count(401) > 0, "{} are refused", count(503));
    let refused = answers.iter().find(|answer| answer.status == 503).expect("one");
    assert_eq!(
        (refused.problem(), refused.header("retry-after")),
        (("overloaded", "not_executed"), Some("1"))
    );
}
