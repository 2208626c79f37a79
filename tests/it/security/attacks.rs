//! Tokens as attackers make them, each refused for what is wrong with it, and none by a panic.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{Api, ME, invalid_token, refusal};
use crate::support::issuer::{Key, claims, encoded, now, sign_with_secret};

/// What a token is refused with.
async fn refused(api: &Api, token: &str) -> String {
    let answer = api.me(token).await;
    let (status, code, challenge) = refusal(&answer);
    assert_eq!((status, code), (401, "unauthenticated"), "{token}: {}", answer.text());
    let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
    assert_eq!(challenge, invalid_token(&detail), "{token}");
    assert!(token.len() < 8 || !answer.text().contains(token), "the answer repeats the token");
    detail
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", encoded(&header.to_string()), encoded(&claims.to_string()))
}

#[tokio::test]
async fn an_algorithm_is_never_taken_from_the_token() {
    let api = Api::with(Algorithm::RS256, "", ME).await;
    let good = claims(json!({}));
    assert_eq!(api.me(&api.key.sign(&good)).await.status, 200);
    for name in
        ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "RS512", "PS256", "ES256", "rs256", "RS256 "]
    {
        let header = json!({ "alg": name, "kid": "k1" });
        for token in [unsigned(&header, &good), api.key.sign_with(&header, &good)] {
            assert_eq!(refused(&api, &token).await, "the token's algorithm is not accepted", "{name}");
        }
    }
    // The public key as the secret of an HMAC.
    let pem = api.key.public.clone();
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), api.key.jwk["n"].as_str().expect("n").as_bytes()] {
        for alg in ["HS256", "RS256"] {
            let token = sign_with_secret(secret, &json!({ "alg": alg, "kid": "k1" }), &good);
            let reason = refused(&api, &token).await;
            let expected = if alg == "HS256" {
                "the token's algorithm is not accepted"
            } else {
                "the token's signature is not valid"
            };
            assert_eq!(reason, expected);
        }
    }
    assert_eq!(
        refused(&api, &unsigned(&json!({ "alg": "RS256", "kid": "k1" }), &good)).await,
        "the token's signature is not valid"
    );
}

#[tokio::test]
async fn a_token_cannot_bring_its_own_key() {
    let api = Api::start().await;
    let foreign = Key::new("k1", Algorithm::ES256);
    let good = claims(json!({}));
    let at_home = api.issuer.url.clone();
    for (name, value) in [
        ("jwk", foreign.jwk.clone()),
        ("jku", json!(at_home)),
        ("x5u", json!(at_home)),
        ("x5c", json!([foreign.public])),
        ("x5t", json!("AAAA")),
    ] {
        for kid in [json!("k1"), json!("k2"), Value::Null] {
            let mut header = json!({ "alg": "ES256", "kid": kid });
            header[name] = value.clone();
            let reason = refused(&api, &foreign.sign_with(&header, &good)).await;
            let expected = match header["kid"] == "k1" {
                true => "the token's signature is not valid",
                false => "the token's key is not known",
            };
            assert_eq!(reason, expected, "{name}");
            // The issuer's own key is looked up as ever.
            if header["kid"] != "k2" {
                assert_eq!(api.me(&api.key.sign_with(&header, &good)).await.status, 200, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_name_of_a_key_is_only_compared() {
    let api = Api::start().await;
    let good = claims(json!({}));
    for kid in ["../../etc/passwd", "/dev/null", "k1' OR '1'='1", "k1\u{0}", "K1", " k1", "", "${claims.sub}"]
    {
        let token = api.key.sign_with(&json!({ "alg": "ES256", "kid": kid }), &good);
        assert_eq!(refused(&api, &token).await, "the token's key is not known", "{kid}");
    }
    let long = api.key.sign_with(&json!({ "alg": "ES256", "kid": "k".repeat(257) }), &good);
    assert_eq!(refused(&api, &long).await, "the name of the token's key is too long");
    for kid in [json!(1), json!(["k1"]), json!({ "k1": 1 }), json!(true)] {
        let token = api.key.sign_with(&json!({ "alg": "ES256", "kid": kid }), &good);
        assert_eq!(refused(&api, &token).await, "the token is malformed", "{kid}");
    }
}

#[tokio::test]
async fn claims_must_say_what_the_configuration_wants() {
    let api = Api::start().await;
    let (early, late) = (now() - 11, now() + 60);
    let number = "a time in the token is not a number";
    let refusals: HashMap<&str, Vec<Value>> = HashMap::from([
        (
            "the token is of another issuer",
            vec![
                json!({ "iss": "https://id.example.com" }),
                json!({ "iss": "https://ID.example.com/" }),
                json!({ "iss": null }),
                json!({ "iss": ["https://id.example.com/"] }),
            ],
        ),
        (
            "the token is for another audience",
            vec![
                json!({ "aud": "API" }),
                json!({ "aud": "" }),
                json!({ "aud": ["x", "y"] }),
                json!({ "aud": [] }),
                json!({ "aud": { "api": true } }),
                json!({ "aud": null }),
            ],
        ),
        ("the token has expired", vec![json!({ "exp": early }), json!({ "exp": 0 }), json!({ "exp": -1.5 })]),
        (
            number,
            vec![
                json!({ "exp": null }),
                json!({ "exp": late.to_string() }),
                json!({ "exp": [late] }),
                json!({ "nbf": "soon" }),
            ],
        ),
        ("the token is not valid yet", vec![json!({ "nbf": late }), json!({ "nbf": 1e300 })]),
        ("the token has no subject", vec![json!({ "sub": "" }), json!({ "sub": null }), json!({ "sub": 7 })]),
    ]);
    for (reason, all) in refusals {
        for other in all {
            assert_eq!(refused(&api, &api.key.sign(&claims(other.clone()))).await, reason, "{other}");
        }
    }
    let without = |name: &str| {
        let mut claims = claims(json!({}));
        claims.as_object_mut().expect("claims").remove(name);
        api.key.sign(&claims)
    };
    assert_eq!(refused(&api, &without("exp")).await, "the token has no expiry");
    assert_eq!(refused(&api, &without("aud")).await, "the token has no audience");
    assert_eq!(refused(&api, &without("iss")).await, "the token is of another issuer");
    for fine in [
        json!({ "aud": ["x", "other"] }),
        json!({ "exp": now() - 8 }),
        json!({ "exp": now() as f64 + 60.5 }),
        json!({ "exp": 99_999_999_999_999_u64 }),
        json!({ "nbf": now() + 8 }),
        json!({ "iat": "whenever" }),
    ] {
        let answer = api.me(&api.key.sign(&claims(fine.clone()))).await;
        assert_eq!(answer.status, 200, "{fine}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_token_that_is_no_token_is_malformed() {
    let api = Api::start().await;
    let token = api.key.sign(&claims(json!({})));
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("{token}") };
    let twice = r#"{"alg":"ES256","alg":"none","kid":"k1"}"#;
    for text in [
        "",
        ".",
        "..",
        "...",
        "token",
        &format!("{header}.{payload}"),
        &format!("{token}.{signature}"),
        &format!("{header}=.{payload}.{signature}"),
        &format!("{header}.{payload}!.{signature}"),
        &format!("{header} {payload} {signature}"),
        &format!("{}.{payload}.{signature}", encoded(twice)),
        &format!("{}.{payload}.{signature}", encoded("{")),
        &format!("{}.{payload}.{signature}", encoded("null")),
        &format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode([0xff, 0xfe])),
    ] {
        let reason = refused(&api, text).await;
        assert!(reason.contains("malformed"), "{text}: {reason}");
    }
    let doubled =
        r#"{"iss":"https://id.example.com/","aud":"api","exp":9999999999,"sub":"ada","sub":"root"}"#;
    for claims in [doubled, "[]", "", "{\"exp\":1e999}"] {
        let text = format!("{header}.{}.{signature}", encoded(claims));
        assert_eq!(refused(&api, &text).await, "the token's claims are malformed", "{claims}");
    }
    let mut changed = signature.as_bytes().to_vec();
    changed[10] = if changed[10] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    for bad in
        [changed.as_str(), "", "AAAA", &signature[1..], &format!("{signature}AAAA"), &format!("{signature}=")]
    {
        let reason = refused(&api, &format!("{header}.{payload}.{bad}")).await;
        assert_eq!(reason, "the token's signature is not valid", "{bad}");
    }
    let crit =
        api.key.sign_with(&json!({ "alg": "ES256", "kid": "k1", "crit": ["exp"] }), &claims(json!({})));
    assert_eq!(refused(&api, &crit).await, "the token needs an extension that is not supported");
    let huge = api.key.sign(&claims(json!({ "padding": "x".repeat(8_000) })));
    assert_eq!(refused(&api, &huge).await, "the token is too long");
}

#[tokio::test]
async fn a_token_is_taken_from_one_authorization_header_and_from_nowhere_else() {
    let api = Api::start().await;
    let token = api.key.sign(&claims(json!({})));
    let bearer = format!("Bearer {token}");
    let send = async |path: &str, headers: &[(&str, &str)]| api.gateway.send("GET", path, headers, b"").await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = send("/me", &[("authorization", &format!("{scheme} {token}"))]).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    let twice = send("/me", &[("Authorization", &bearer), ("Authorization", &bearer)]).await;
    let reason = "more than one Authorization header was sent";
    assert_eq!(refusal(&twice), (401, "unauthenticated", invalid_token(reason).as_str()));
    let missing = (401, "unauthenticated", "Bearer realm=\"people\"");
    for (path, headers) in [
        (format!("/me?access_token={token}"), vec![]),
        ("/me".to_owned(), vec![("Cookie", format!("access_token={token}"))]),
        ("/me".to_owned(), vec![("X-Authorization", bearer.clone())]),
        ("/me".to_owned(), vec![("Proxy-Authorization", bearer.clone())]),
        ("/me".to_owned(), vec![("Authorization", token.clone())]),
        ("/me".to_owned(), vec![("Authorization", format!("Basic {token}"))]),
        ("/me".to_owned(), vec![("Authorization", format!("Token {token}"))]),
    ] {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = send(&path, &headers).await;
        assert_eq!(refusal(&answer), missing, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn any_bytes_for_a_token_are_answered() {
    let api = Api::start().await;
    let token = api.key.sign(&claims(json!({})));
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = token.clone().into_bytes();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes[at] = random.u8(0x21..0x7f),
                1 => drop(bytes.drain(at..(at + random.usize(1..40)).min(bytes.len()))),
                _ => bytes.insert(at, b"._-=Aa0"[random.usize(..7)]),
            }
        }
        let text = String::from_utf8(bytes).expect("ASCII");
        if text != token {
            refused(&api, &text).await;
        }
    }
    assert_eq!(api.me(&token).await.status, 200);
}
