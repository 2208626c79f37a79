//! Tokens for the benchmark of checked requests: a key, its set for the gateway (`jwks.json`), and so many different tokens
//! (`tokens`, one a line). Prints what checking them costs by the library alone, on one thread.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

const ISSUER: &str = "https://bench.example.com/";
const AUDIENCE: &str = "bench";
const VALID: Duration = Duration::from_secs(3600);

#[derive(Parser)]
struct Arguments {
    /// Where the two files go.
    directory: PathBuf,
    /// ES256 or RS256 (2048 bits).
    #[arg(long, default_value = "ES256")]
    algorithm: String,
    #[arg(long, default_value_t = 1)]
    count: usize,
}

fn main() -> Result<()> {
    let Arguments { directory, algorithm, count } = Arguments::parse();
    let (algorithm, key) = match algorithm.as_str() {
        "ES256" => {
            let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            (Algorithm::ES256, EncodingKey::from_ec_der(&pair.serialize_der()))
        }
        "RS256" => {
            let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
            (Algorithm::RS256, EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes())?)
        }
        other => bail!("{other} is neither ES256 nor RS256"),
    };
    let mut public = Jwk::from_encoding_key(&key, algorithm)?;
    public.common.key_id = Some("bench".to_owned());
    let header = Header { kid: public.common.key_id.clone(), ..Header::new(algorithm) };
    let expires = (SystemTime::now() + VALID).duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let token = |number| {
        let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": expires, "sub": format!("caller-{number}"), "scope": "echo" });
        jsonwebtoken::encode(&header, &claims, &key)
    };
    let tokens = (0..count).map(token).collect::<Result<Vec<_>, _>>()?;
    let checked = check(&public, algorithm, &tokens)?;
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("jwks.json", serde_json::to_string(&JwkSet { keys: vec![public] })?)?;
    write("tokens", tokens.join("\n"))?;
    println!("{algorithm:?}: {:.1} µs a check by the library alone", checked.as_secs_f64() * 1e6);
    Ok(())
}

/// The mean time of one check, over at most a second.
fn check(public: &Jwk, algorithm: Algorithm, tokens: &[String]) -> Result<Duration> {
    let key = DecodingKey::from_jwk(public)?;
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    let (start, mut checks) = (Instant::now(), 0_u32);
    for token in tokens.iter().cycle() {
        let claims = jsonwebtoken::decode::<Value>(token, &key, &rules)?.claims;
        ensure!(claims["aud"] == AUDIENCE, "a token that says something else");
        checks += 1;
        if start.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    Ok(start.elapsed() / checks)
}
