//! TLS clients, and the certificates of one test in a directory that can be renewed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificates;

/// A directory with `server.pem`, `server.key`, `ca.pem`, `client.pem` and `client.key`.
pub(crate) struct Certificates(pub(crate) TempDir);

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let dir = tempfile::tempdir().expect("temporary directory");
        certificates::write(dir.path());
        Certificates(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `server: { tls: … }` with these and more keys of `server`.
    pub(crate) fn server(&self, client_ca: bool, more: &str) -> String {
        let authority = self.path("ca.pem");
        let client_ca =
            if client_ca { format!(", client_ca: {}", authority.display()) } else { String::new() };
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let files = format!("certificate: {}, key: {}{client_ca}", certificate.display(), key.display());
        format!("server:\n  tls: {{ {files} }}\n{more}")
    }

    /// A client that trusts this authority.
    pub(crate) fn client(&self) -> Client {
        Client {
            authority: self.path("ca.pem"),
            own: None,
            versions: rustls::ALL_VERSIONS.to_vec(),
            alpn: Vec::new(),
        }
    }
}

/// How a client shakes hands.
pub(crate) struct Client {
    authority: PathBuf,
    own: Option<(PathBuf, PathBuf)>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<Vec<u8>>,
}

impl Client {
    pub(crate) fn with_certificate(mut self, certificates: &Certificates) -> Client {
        self.own = Some((certificates.path("client.pem"), certificates.path("client.key")));
        self
    }

    pub(crate) fn with_version(mut self, version: &'static SupportedProtocolVersion) -> Client {
        self.versions = vec![version];
        self
    }

    pub(crate) fn offering(mut self, protocols: &[&str]) -> Client {
        self.alpn = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Connects to `http://host:port` and shakes hands.
    pub(crate) async fn connect(&self, url: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let address = url.trim_start_matches("http://").trim_start_matches("https://");
        self.shake_hands(TcpStream::connect(address).await?).await
    }

    /// Shakes hands on a connection.
    pub(crate) async fn shake_hands(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        TlsConnector::from(Arc::new(self.config())).connect(name, stream).await
    }

    /// A GET of a path with HTTP/1.1: what comes until the connection is closed.
    pub(crate) async fn get(&self, url: &str, path: &str) -> std::io::Result<String> {
        let mut stream = self.connect(url).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for certificate in read(&self.authority) {
            roots.add(certificate).expect("an authority");
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_file(key).expect("a key");
                builder.with_client_auth_cert(read(certificate), key).expect("a client certificate")
            }
        };
        config.alpn_protocols = self.alpn.clone();
        config
    }
}

fn read(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).expect("a file").map(|one| one.expect("a certificate")).collect()
}
