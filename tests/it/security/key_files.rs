//! Keys of issuers in files: key sets and PEM, picked up when they change, kept when they break.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{ME, count, invalid_token, me, refusal};
use crate::support::gateway::Gateway;
use crate::support::issuer::{ISSUER, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

fn yaml(algorithms: &str) -> String {
    format!(
        "security:\n  people:\n    jwt:\n      - {{ issuer: '{ISSUER}', audience: [api], algorithms: [{algorithms}], keys: keys }}\n{ME}"
    )
}

#[tokio::test]
async fn a_changed_file_is_picked_up_and_a_broken_one_is_not() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let (first, second) = (Key::new("k1", Algorithm::ES256), Key::new("k2", Algorithm::ES256));
    let set =
        |keys: &[&Key]| json!({ "keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() }).to_string();
    let gateway = Gateway::start_with(&nats.url(), &yaml("ES256"), &[("keys", &set(&[&first]))]).await;
    let (old, new) = (first.sign(&claims(json!({}))), second.sign(&claims(json!({}))));
    assert_eq!((me(&gateway, &old).await.status, me(&gateway, &new).await.status), (200, 401));

    gateway.replace("keys", &set(&[&first, &second]));
    gateway.until("two keys", |ready| count(ready) == json!(2)).await;
    assert_eq!((me(&gateway, &old).await.status, me(&gateway, &new).await.status), (200, 200));

    let error =
        |ready: &serde_json::Value| ready["verifiers"]["people"]["issuers"][0]["keys"]["last_error"].clone();
    for (broken, expected) in [
        ("{\"keys\": [", "these keys cannot be used: it is no valid JSON"),
        ("", "these keys cannot be used: it is no valid JSON"),
        (
            &set(&[&Key::new("rsa", Algorithm::RS256)]),
            "these keys cannot be used: no key in it fits one of the `algorithms`",
        ),
    ] {
        gateway.replace("keys", broken);
        gateway.until(expected, |ready| error(ready) == json!(expected) && count(ready) == json!(2)).await;
        assert_eq!(me(&gateway, &old).await.status, 200);
    }
    std::fs::remove_file(gateway.dir().join("keys")).expect("the file goes");
    gateway
        .until("it is missed", |ready| {
            error(ready).as_str().is_some_and(|text| text.contains("No such file"))
        })
        .await;

    gateway.replace("keys", &set(&[&second]));
    gateway.until("one key", |ready| count(ready) == json!(1) && error(ready).is_null()).await;
    assert_eq!(refusal(&me(&gateway, &old).await).2, invalid_token("the token's key is not known"));
    assert_eq!(me(&gateway, &new).await.status, 200);
}

#[tokio::test]
async fn a_file_may_hold_several_keys_in_pem() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let keys = [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
        .map(|one| Key::new("any", one));
    let pem: String = keys.iter().map(|key| format!("# {:?}\n{}\n", key.algorithm, key.public)).collect();
    let pem = pem.trim_start_matches("# RS256\n");
    let yaml = yaml("RS256, ES256, ES384, EdDSA");
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("keys", pem)]).await;
    assert_eq!(count(&gateway.ready().await.json()), json!(4));
    for key in &keys {
        let answer = me(&gateway, &key.sign(&claims(json!({})))).await;
        assert_eq!(answer.status, 200, "{:?}: {}", key.algorithm, answer.text());
    }
    let foreign = Key::new("any", Algorithm::EdDSA).sign(&claims(json!({})));
    assert_eq!(refusal(&me(&gateway, &foreign).await).2, invalid_token("the token's key is not known"));
}
