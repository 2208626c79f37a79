//! One public key: what it is, what it may be used for, and whether it still is in its set.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, crypto};
use serde::Deserialize;

use crate::config::Algorithm;

/// The smallest modulus of an RSA key, in bytes: what the crypto library accepts begins there.
const SMALLEST_RSA: usize = 256;

/// A key that signatures can be verified with.
pub(super) struct Key {
    /// By which tokens name it.
    pub(super) id: Option<String>,
    kind: Kind,
    /// The only algorithm that its owner allows.
    algorithm: Option<String>,
    material: Vec<u8>,
    verifying: DecodingKey,
    /// No longer in its set: whatever was verified with it has to be verified anew.
    revoked: AtomicBool,
}

/// What a key is mathematically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A JSON Web Key (RFC 7517) as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Key {
    /// A key that can verify signatures; `None` for every other one: of a symmetric kind, for encryption, too small,
    /// or of a kind that no algorithm here needs.
    pub(super) fn of(jwk: Jwk) -> Option<Key> {
        let signs = jwk.r#use.as_deref().is_none_or(|intended| intended == "sig")
            && jwk.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !signs {
            return None;
        }
        let decode = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let (kind, material, verifying) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (decode(&jwk.n)?, decode(&jwk.e)?);
                let verifying = DecodingKey::from_rsa_raw_components(&n, &e);
                (Kind::Rsa, rsa(&n, &e)?, verifying)
            }
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let (kind, length) = if curve == "P-256" { (Kind::P256, 32) } else { (Kind::P384, 48) };
                let (x, y) = (decode(&jwk.x)?, decode(&jwk.y)?);
                if (x.len(), y.len()) != (length, length) {
                    return None;
                }
                let point = [&[4], x.as_slice(), &y].concat();
                (kind, point.clone(), DecodingKey::from_ec_der(&point))
            }
            ("OKP", Some("Ed25519")) => {
                let x = decode(&jwk.x).filter(|x| x.len() == 32)?;
                (Kind::Ed25519, x.clone(), DecodingKey::from_ed_der(&x))
            }
            _ => return None,
        };
        Some(Key {
            id: jwk.kid,
            kind,
            algorithm: jwk.alg,
            material,
            verifying,
            revoked: AtomicBool::new(false),
        })
    }

    /// A public key in PEM, which has no name.
    pub(super) fn of_pem(pem: &str) -> Option<Key> {
        let rsa = || DecodingKey::from_rsa_pem(pem.as_bytes()).ok().map(|key| (Kind::Rsa, key));
        let ec = || {
            let key = DecodingKey::from_ec_pem(pem.as_bytes()).ok()?;
            match key.try_get_as_bytes().ok()?.len() {
                65 => Some((Kind::P256, key)),
                97 => Some((Kind::P384, key)),
                _ => None,
            }
        };
        let ed = || DecodingKey::from_ed_pem(pem.as_bytes()).ok().map(|key| (Kind::Ed25519, key));
        let (kind, verifying) = ec().or_else(ed).or_else(rsa)?;
        let material = verifying.try_get_as_bytes().ok()?.to_vec();
        // The whole structure, which is a little longer than its modulus.
        if kind == Kind::Rsa && material.len() < SMALLEST_RSA {
            return None;
        }
        let revoked = AtomicBool::new(false);
        Some(Key { id: None, kind, algorithm: None, material, verifying, revoked })
    }

    /// Whether its kind, and its owner, allow an algorithm.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, HS256, PS256, PS384, PS512, RS256, RS384, RS512};
        let kind = match algorithm {
            RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => Kind::Rsa,
            ES256 => Kind::P256,
            ES384 => Kind::P384,
            EdDSA => Kind::Ed25519,
            HS256 => return false,
        };
        let named = |name: &str| name == algorithm.name() || (algorithm == EdDSA && name == "Ed25519");
        self.kind == kind && self.algorithm.as_deref().is_none_or(named)
    }

    /// Whether a signature is one of this key.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        verifies(&self.verifying, algorithm, message, signature)
    }

    /// The same key, to be used in the same way.
    pub(super) fn is(&self, other: &Key) -> bool {
        (&self.id, self.kind, &self.algorithm, &self.material)
            == (&other.id, other.kind, &other.algorithm, &other.material)
    }

    /// It is no longer in its set.
    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    /// Whether it is no longer in its set.
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }
}

/// Whether a signature is one of a key.
pub(in crate::authenticate) fn verifies(
    key: &DecodingKey,
    algorithm: Algorithm,
    message: &str,
    signature: &str,
) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, HS256, PS256, PS384, PS512, RS256, RS384, RS512};
    let algorithm = match algorithm {
        HS256 => jsonwebtoken::Algorithm::HS256,
        RS256 => jsonwebtoken::Algorithm::RS256,
        RS384 => jsonwebtoken::Algorithm::RS384,
        RS512 => jsonwebtoken::Algorithm::RS512,
        PS256 => jsonwebtoken::Algorithm::PS256,
        PS384 => jsonwebtoken::Algorithm::PS384,
        PS512 => jsonwebtoken::Algorithm::PS512,
        ES256 => jsonwebtoken::Algorithm::ES256,
        ES384 => jsonwebtoken::Algorithm::ES384,
        EdDSA => jsonwebtoken::Algorithm::EdDSA,
    };
    crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Vec<u8>> {
    let significant = n.iter().skip_while(|byte| **byte == 0).count();
    (significant >= SMALLEST_RSA && !e.is_empty()).then(|| [n, &[0], e].concat())
}
