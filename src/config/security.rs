//! `security:` as written: the verifiers that security schemes are mapped to. Checking a caller is not done here.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elsewhere;
use super::scalar::TimeSpan;
use super::secret::Secret;
use crate::yaml::Located;

/// Who says whether a caller is who it claims to be. Exactly one of the keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Verifier {
    /// Bearer tokens (JWT), one entry an issuer. For schemes of type `http` with `scheme: bearer`, `oauth2` and
    /// `openIdConnect`.
    pub jwt: Option<Located<Vec<Located<JwtIssuer>>>>,
    /// Keys that were given out by name. For schemes of type `apiKey`, which say where a key is sent.
    pub api_key: Option<Located<ApiKeys>>,
    /// Users with passwords. For schemes of type `http` with `scheme: basic`.
    pub basic: Option<Located<BasicUsers>>,
    /// `true`: the legacy service checks, and natsgate passes credentials on untouched. For schemes of every type, of
    /// operations that only the legacy service answers, and of `fallback`.
    #[schemars(extend("const" = true))]
    pub upstream: Option<Located<bool>>,
}

/// An issuer of tokens, and what its tokens must say. Exactly one of `jwks`, `keys` and `secret`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct JwtIssuer {
    /// The `iss` of its tokens, compared character by character.
    #[schemars(example = &"https://id.example.com/")]
    pub issuer: Located<String>,
    /// The `aud` of its tokens: at least one of them must be named by the token.
    #[schemars(length(min = 1))]
    pub audience: Vec<Located<String>>,
    /// The algorithms that its tokens may be signed with. Never taken from the token.
    #[schemars(length(min = 1))]
    pub algorithms: Vec<Located<Algorithm>>,
    /// URL of its key set (JWKS), fetched in the background every 5 minutes, and when a token names a key that is not in
    /// it, at most every 5 seconds. The last good set stays. `https://`; `http://` on loopback only.
    #[serde(default)]
    #[schemars(example = &"https://id.example.com/.well-known/jwks.json")]
    pub jwks: Option<Located<String>>,
    /// Certificate authorities (PEM) to trust for `jwks`. Default: the system's.
    #[serde(default)]
    pub ca: Option<Located<PathBuf>>,
    /// File with its keys: a key set (JSON) or public keys (PEM). A changed file is picked up within a second.
    #[serde(default)]
    pub keys: Option<Located<PathBuf>>,
    /// The shared secret of HS256, of at least 32 bytes: `{ file: path }` or `{ env: NAME }`.
    #[serde(default)]
    pub secret: Option<Located<Secret>>,
    /// How far clocks may differ when `exp` and `nbf` are checked, at most `10m`. Default: `30s`.
    #[serde(default = "leeway")]
    pub leeway: Located<TimeSpan>,
    /// Claim that holds the token's scopes: `"a b"` or `["a", "b"]`; with a slash before it, the way to a claim inside
    /// others (a JSON Pointer): `/realm_access/roles`. Default: `scope`.
    #[serde(default = "scopes")]
    pub scopes: Located<String>,
}

fn leeway() -> Located<TimeSpan> {
    Located::default_of(TimeSpan(Duration::from_secs(30)))
}

fn scopes() -> Located<String> {
    Located::default_of("scope".to_owned())
}

/// An algorithm of JSON Web Signatures (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Algorithm {
    /// HMAC with SHA-256, for `secret` only.
    HS256,
    /// RSA, PKCS #1 v1.5, SHA-256.
    RS256,
    /// RSA, PKCS #1 v1.5, SHA-384.
    RS384,
    /// RSA, PKCS #1 v1.5, SHA-512.
    RS512,
    /// RSA, PSS, SHA-256.
    PS256,
    /// RSA, PSS, SHA-384.
    PS384,
    /// RSA, PSS, SHA-512.
    PS512,
    /// ECDSA on P-256.
    ES256,
    /// ECDSA on P-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    /// As tokens name it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::HS256 => "HS256",
            Algorithm::RS256 => "RS256",
            Algorithm::RS384 => "RS384",
            Algorithm::RS512 => "RS512",
            Algorithm::PS256 => "PS256",
            Algorithm::PS384 => "PS384",
            Algorithm::PS512 => "PS512",
            Algorithm::ES256 => "ES256",
            Algorithm::ES384 => "ES384",
            Algorithm::EdDSA => "EdDSA",
        }
    }
}

/// API keys.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct ApiKeys {
    /// YAML file: name of the caller → SHA-256 of its key, in hexadecimal. A changed file is picked up within a second.
    /// `natsgate hash-key` makes a key and its line.
    pub keys: Located<PathBuf>,
    /// Header with the key, for operations without a contract; a contract says itself where its keys are sent.
    /// Default: `X-API-Key`.
    #[serde(default)]
    pub header: Option<Located<String>>,
}

/// Users with passwords.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct BasicUsers {
    /// YAML file: name of the user → hash of the password, by bcrypt (`$2b$…`) or argon2 (`$argon2id$…`). A changed
    /// file is picked up within a second. `natsgate hash-password` makes a line. As many passwords are checked at a time
    /// as there are processors, 32 more requests may wait, others get 503 `overloaded`; a right one is remembered for
    /// 5 minutes.
    pub users: Located<PathBuf>,
}
