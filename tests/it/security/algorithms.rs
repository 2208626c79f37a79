//! Every algorithm that can be configured, and keys that do not fit theirs.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{ME, count, invalid_token, me, people, refusal};
use crate::support::gateway::Gateway;
use crate::support::issuer::{ISSUER, Issuer, Key, claims, sign_with_secret};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

#[tokio::test]
async fn tokens_of_every_algorithm_are_verified() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let all = [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA];
    let rsa = Key::new("RSA", RS256);
    let keys: Vec<Key> = [ES256, ES384, EdDSA].map(|one| Key::new(&format!("{one:?}"), one)).into();
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let issuer = Issuer::start(&[&keys[0], &keys[1], &keys[2]]).await;
    let mut open = rsa.jwk.clone();
    // Without an `alg` of its own a key is for every algorithm of its kind.
    open.as_object_mut().expect("a key").remove("alg");
    issuer.rotate_to([&[open][..], &keys.iter().map(|key| key.jwk.clone()).collect::<Vec<_>>()].concat());
    let names = all.map(|one| format!("{one:?}")).join(", ");
    let gateway = Gateway::start(&nats.url(), &format!("{}{ME}", people(&issuer, &names, ""))).await;
    gateway.until("keys", |ready| count(ready) == json!(4)).await;
    for algorithm in all {
        let key = keys.iter().find(|key| key.algorithm == algorithm);
        let token = match key {
            Some(key) => key.sign(&claims(json!({}))),
            None => rsa.resigned(algorithm).sign(&claims(json!({}))),
        };
        let answer = me(&gateway, &token).await;
        assert_eq!(answer.status, 200, "{algorithm:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_key_is_used_for_what_it_is_meant_for_and_nothing_else() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let (rsa, ec) = (Key::new("rsa", Algorithm::RS256), Key::new("ec", Algorithm::ES256));
    let with = |key: &Key, id: &str, name: &str, value: serde_json::Value| {
        let mut jwk = key.jwk.clone();
        jwk["kid"] = id.into();
        jwk[name] = value;
        jwk
    };
    let issuer = Issuer::start(&[]).await;
    issuer.rotate_to(vec![
        rsa.jwk.clone(),
        ec.jwk.clone(),
        with(&rsa, "encrypts", "use", json!("enc")),
        with(&rsa, "signs", "key_ops", json!(["sign"])),
        with(&rsa, "pss", "alg", json!("PS256")),
        with(&rsa, "short", "n", json!("AQAB")),
        with(&rsa, "odd", "kty", json!("XYZ")),
        with(&ec, "curve", "crv", json!("P-521")),
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }),
        json!({ "kty": 7 }),
        json!("no key at all"),
    ]);
    let names = "RS256, ES256, PS256";
    let gateway = Gateway::start(&nats.url(), &format!("{}{ME}", people(&issuer, names, ""))).await;
    gateway.until("keys", |ready| count(ready) == json!(3)).await;
    let good = claims(json!({}));
    let signed = |key: &Key, alg: &str, id: &str| key.sign_with(&json!({ "alg": alg, "kid": id }), &good);
    for (token, reason) in [
        (signed(&rsa, "RS256", "ec"), "the token's signature is not valid"),
        (signed(&ec, "ES256", "rsa"), "the token's signature is not valid"),
        (signed(&rsa, "RS256", "pss"), "the token's signature is not valid"),
        (signed(&rsa, "RS256", "encrypts"), "the token's key is not known"),
        (signed(&rsa, "RS256", "signs"), "the token's key is not known"),
        (signed(&rsa, "RS256", "secret"), "the token's key is not known"),
    ] {
        assert_eq!(refusal(&me(&gateway, &token).await).2, invalid_token(reason), "{token}");
    }
    for token in [signed(&rsa, "RS256", "rsa"), signed(&ec, "ES256", "ec")] {
        assert_eq!(me(&gateway, &token).await.status, 200);
    }
}

#[tokio::test]
async fn a_shared_secret_is_for_hs256_alone() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let secret = "a secret of at least thirty-two bytes";
    let yaml = format!(
        "security:\n  people:\n    jwt:\n      - {{ issuer: '{ISSUER}', audience: [api], algorithms: [HS256], \
         secret: {{ file: secret.txt }} }}\n{ME}"
    );
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("secret.txt", &format!("{secret}\n"))]).await;
    let token = |alg: &str, secret: &str| {
        sign_with_secret(secret.as_bytes(), &json!({ "alg": alg }), &claims(json!({})))
    };
    assert_eq!(me(&gateway, &token("HS256", secret)).await.status, 200);
    for (token, reason) in [
        (token("HS256", "another secret of thirty-two bytes"), "the token's signature is not valid"),
        (token("HS384", secret), "the token's algorithm is not accepted"),
        (token("none", secret), "the token's algorithm is not accepted"),
        (token("RS256", secret), "the token's algorithm is not accepted"),
    ] {
        assert_eq!(refusal(&me(&gateway, &token).await).2, invalid_token(reason));
    }
    let debug = format!("{:?}", gateway.inner);
    assert!(
        debug.contains("DecodingKey") && !debug.contains(secret) && !debug.contains("97, 32, 115"),
        "{debug}"
    );
    let ready = gateway.ready().await.text();
    assert!(ready.contains("a shared secret") && !ready.contains(secret), "{ready}");
}

#[tokio::test]
async fn issuers_of_one_verifier_are_kept_apart() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let (first, second) = (Key::new("k", Algorithm::ES256), Key::new("k", Algorithm::ES256));
    let (here, there) = (Issuer::start(&[&first]).await, Issuer::start(&[&second]).await);
    let other = "https://other.example.com/";
    let yaml = format!(
        "{}      - {{ issuer: '{other}', audience: [elsewhere], algorithms: [ES256], jwks: '{}' }}\n{ME}",
        people(&here, "ES256", ""),
        there.url
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    gateway
        .until("keys", |ready| {
            (0..2).all(|at| ready["verifiers"]["people"]["issuers"][at]["keys"]["count"] == json!(1))
        })
        .await;
    let theirs = json!({ "iss": other, "aud": "elsewhere" });
    assert_eq!(me(&gateway, &first.sign(&claims(json!({})))).await.status, 200);
    assert_eq!(me(&gateway, &second.sign(&claims(theirs.clone()))).await.status, 200);
    for (token, reason) in [
        (first.sign(&claims(theirs)), "the token's signature is not valid"),
        (second.sign(&claims(json!({}))), "the token's signature is not valid"),
        (second.sign(&claims(json!({ "iss": other }))), "the token is for another audience"),
    ] {
        assert_eq!(refusal(&me(&gateway, &token).await).2, invalid_token(reason));
    }
}
