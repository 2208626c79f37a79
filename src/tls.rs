//! TLS: certificate files become what handshakes use, towards clients ([`load`]), where they stay current ([`Identity`]),
//! and towards services ([`client()`]). Who shakes hands is not here. No message holds anything of a file's content.

mod client;
mod identity;

use std::fs::File as OpenFile;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig};

pub use client::client;
pub use identity::Identity;

/// Longest file, in bytes: chains are kilobytes, and devices never end.
const LONGEST: u64 = 4 << 20;

/// The files of a server.
#[derive(Debug, Clone)]
pub struct Files {
    /// Certificate with its chain (PEM).
    pub certificate: PathBuf,
    /// Private key of it (PEM).
    pub key: PathBuf,
    /// Authorities of the clients (PEM); without them no client certificate is asked for.
    pub client_ca: Option<PathBuf>,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// [`Files::certificate`].
    Certificate,
    /// [`Files::key`].
    Key,
    /// [`Files::client_ca`], or whoever else vouches for the other side.
    ClientCa,
}

/// Why the files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The file that is to blame.
    pub file: File,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// What stands in the files.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Reads the files, and makes of them what handshakes use. Blocking.
///
/// # Errors
/// If a file cannot be read or used, or the key is not that of the certificate.
pub fn load(files: &Files) -> Result<Arc<ServerConfig>, Fault> {
    build(&read(files)?)
}

/// Everything that is wrong with the files, as far as it can be told at once. Blocking.
pub fn faults(files: &Files) -> Vec<Fault> {
    let certificate = read_one(File::Certificate, &files.certificate);
    let key = read_one(File::Key, &files.key).and_then(|content| private_key(&content));
    let authorities = files.client_ca.as_deref().map(|path| read_one(File::ClientCa, path));
    let each = [
        certificate.and_then(|content| certificates(File::Certificate, &content)).err(),
        key.err(),
        authorities.and_then(|content| content.and_then(|content| client_verifier(&content)).err()),
    ];
    let faults: Vec<Fault> = each.into_iter().flatten().collect();
    if faults.is_empty() { load(files).err().into_iter().collect() } else { faults }
}

fn read(files: &Files) -> Result<Contents, Fault> {
    Ok(Contents {
        certificate: read_one(File::Certificate, &files.certificate)?,
        key: read_one(File::Key, &files.key)?,
        client_ca: files.client_ca.as_deref().map(|path| read_one(File::ClientCa, path)).transpose()?,
    })
}

fn read_one(file: File, path: &Path) -> Result<Vec<u8>, Fault> {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        OpenFile::open(path)?.take(LONGEST).read_to_end(&mut content)?;
        Ok(content)
    };
    read().map_err(|error| Fault {
        file,
        message: format!("this file cannot be read: {error}"),
        help: "correct the path (it is relative to this file) or the file's permissions",
    })
}

fn build(contents: &Contents) -> Result<Arc<ServerConfig>, Fault> {
    let provider = Arc::new(default_provider());
    let chain = certificates(File::Certificate, &contents.certificate)?;
    let key = private_key(&contents.key)?;
    let identity = CertifiedKey::from_der(chain, key, &provider).map_err(|error| unfit(&error))?;
    let verifier = match &contents.client_ca {
        Some(content) => client_verifier(content)?,
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| unfit(&error))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets keep nothing here for a client that returns; each load has keys of its own, so that nobody resumes a
    // session that other authorities had allowed.
    config.ticketer = Ticketer::new().map_err(|error| unfit(&error))?;
    Ok(Arc::new(config))
}

fn certificates(file: File, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let help = "name a PEM file that has one";
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(Fault { file, message: "there is no certificate in this file".to_owned(), help })
        }
        Ok(certificates) => Ok(certificates),
        Err(_) => {
            Err(Fault { file, message: "this file is damaged: it is not PEM throughout".to_owned(), help })
        }
    }
}

fn private_key(content: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
    PrivateKeyDer::from_pem_slice(content).map_err(|_| {
        let encrypted = content.windows(9).any(|window| window == b"ENCRYPTED");
        let (message, help) = match encrypted {
            true => (
                "the private key is encrypted",
                "decrypt it with `openssl pkey`, and keep the file from others",
            ),
            false => ("there is no private key in this file", "name a PEM file that has one"),
        };
        Fault { file: File::Key, message: message.to_owned(), help }
    })
}

fn unusable_authority() -> Fault {
    Fault {
        file: File::ClientCa,
        message: "a certificate in this file cannot be used as an authority".to_owned(),
        help: "name a PEM file with the certificates of authorities only",
    }
}

fn authorities(content: &[u8]) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(File::ClientCa, content)? {
        roots.add(certificate).map_err(|_| unusable_authority())?;
    }
    Ok(roots)
}

fn client_verifier(content: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, Fault> {
    let roots = authorities(content)?;
    let unusable = |_| unusable_authority();
    let provider = Arc::new(default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(unusable)
}

fn unfit(error: &Error) -> Fault {
    let (file, message, help) = match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => (
            File::Key,
            "this is not the key of the certificate",
            "name the key that the certificate was made for",
        ),
        Error::InvalidCertificate(CertificateError::BadEncoding) => (
            File::Certificate,
            "the first certificate in this file cannot be read",
            "put the server's own certificate first, its chain after it",
        ),
        _ => (
            File::Key,
            "this private key cannot be used",
            "use an ECDSA key on P-256 or P-384, an Ed25519 key, or an RSA key of at least 2048 bits",
        ),
    };
    Fault { file, message: message.to_owned(), help }
}
