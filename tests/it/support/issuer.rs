//! An issuer of tokens: its keys, the tokens that they sign, and a server with its key set that can be made to fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// The `iss` of its tokens.
pub(crate) const ISSUER: &str = "https://id.example.com/";

/// A key pair of an issuer.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) jwk: Value,
    /// The public key in PEM.
    pub(crate) public: String,
    private: EncodingKey,
}

/// How the server answers.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// With the key set.
    Keys,
    /// With a status and a text.
    Status(u16, String),
    /// With a redirection to the key set.
    Redirect,
    /// With a gigabyte.
    Huge,
    /// With the beginning of the key set, and never more.
    Endless,
    /// Not at all.
    Silent,
}

/// A server with a key set.
pub(crate) struct Issuer {
    /// URL of the key set.
    pub(crate) url: String,
    shared: Arc<Shared>,
    _running: AbortOnDropHandle<()>,
}

struct Shared {
    keys: Mutex<Vec<Value>>,
    behaviour: Mutex<Behaviour>,
    fetches: AtomicUsize,
    location: Mutex<String>,
}

impl Key {
    pub(crate) fn new(id: &str, algorithm: Algorithm) -> Key {
        let kind = match algorithm {
            Algorithm::ES256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::ES384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::EdDSA => &rcgen::PKCS_ED25519,
            _ => &rcgen::PKCS_RSA_SHA256,
        };
        let pair = KeyPair::generate_for(kind).expect("a key");
        let pem = pair.serialize_pem();
        let private = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        }
        .expect("a private key");
        let mut jwk = match algorithm {
            Algorithm::EdDSA => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA" })
            }
            _ => json!(Jwk::from_encoding_key(&private, algorithm).expect("a public key")),
        };
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        Key { id: id.to_owned(), algorithm, jwk, public: pair.public_key_pem(), private }
    }

    /// The same pair for another algorithm of its kind, without a name.
    pub(crate) fn resigned(&self, algorithm: Algorithm) -> Key {
        let Key { id, jwk, public, private, .. } = self;
        Key { id: id.clone(), algorithm, jwk: jwk.clone(), public: public.clone(), private: private.clone() }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": self.algorithm, "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A token with a header of one's own; it is signed as the key does it, whatever the header says.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        signed(header, claims, &self.private, self.algorithm)
    }
}

/// A token signed with a secret.
pub(crate) fn sign_with_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    signed(header, claims, &EncodingKey::from_secret(secret), Algorithm::HS256)
}

fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encoded(&header.to_string()), encoded(&claims.to_string()));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

/// One part of a token.
pub(crate) fn encoded(part: &str) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// The claims of a token that is good for five minutes, with others over them.
#[allow(clippy::needless_pass_by_value)] // what `json!` has made is passed as it is
pub(crate) fn claims(others: Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": "api", "sub": "ada", "exp": now() + 300 });
    for (name, value) in others.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    claims
}

/// The time of day, in seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970");
    since.as_secs() as i64
}

impl Issuer {
    /// A server with the public parts of these keys, over plain HTTP on this machine.
    pub(crate) async fn start(keys: &[&Key]) -> Issuer {
        Issuer::serve(keys, None).await
    }

    /// The same over TLS, with the certificate and key of [`super::certificates`].
    pub(crate) async fn secure(keys: &[&Key], dir: &std::path::Path) -> Issuer {
        let certificate = std::fs::read(dir.join("server.pem")).expect("server.pem");
        let key = std::fs::read(dir.join("server.key")).expect("server.key");
        Issuer::serve(keys, Some(super::certificates::acceptor(&certificate, &key))).await
    }

    async fn serve(keys: &[&Key], tls: Option<TlsAcceptor>) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/jwks", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            keys: Mutex::new(keys.iter().map(|key| key.jwk.clone()).collect()),
            behaviour: Mutex::new(Behaviour::Keys),
            fetches: AtomicUsize::new(0),
            location: Mutex::new(url.clone()),
        });
        let running = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Issuer { url, shared, _running: AbortOnDropHandle::new(running) }
    }

    /// How often the key set has been asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// Waits until it has been asked for so often.
    pub(crate) async fn fetched(&self, times: usize) {
        let until = Instant::now() + Duration::from_secs(15);
        while self.fetches() < times {
            assert!(Instant::now() < until, "only {} fetches", self.fetches());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// From now on it has these keys.
    pub(crate) fn rotate(&self, keys: &[&Key]) {
        *self.shared.keys.lock().expect("keys") = keys.iter().map(|key| key.jwk.clone()).collect();
    }

    /// From now on it has these keys, written by hand.
    pub(crate) fn rotate_to(&self, keys: Vec<Value>) {
        *self.shared.keys.lock().expect("keys") = keys;
    }

    /// From now on it answers like this.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("behaviour") = behaviour;
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => answer(stream, &shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        answer(stream, &shared).await;
                    }
                }
            }
        });
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let keys = json!({ "keys": *shared.keys.lock().expect("keys") }).to_string();
    let behaviour = shared.behaviour.lock().expect("behaviour").clone();
    let location = shared.location.lock().expect("location").clone();
    let whole = |status: &str, more: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let text = match behaviour {
        Behaviour::Keys => whole("200 OK", "Content-Type: application/json\r\n", &keys),
        Behaviour::Status(status, body) => whole(&format!("{status} Status"), "", &body),
        Behaviour::Redirect => whole("302 Found", &format!("Location: {location}?\r\n"), &keys),
        Behaviour::Huge => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").await;
            let block = vec![b' '; 64 << 10];
            while stream.write_all(&block).await.is_ok() {}
            return;
        }
        Behaviour::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{\"keys\":[").await;
            let _ = stream.flush().await;
            return std::future::pending().await;
        }
        Behaviour::Silent => return std::future::pending().await,
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
