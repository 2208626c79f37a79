//! Certificates for one test: an authority, a server on this machine, a client.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Writes `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key` into a directory.
pub(crate) fn write(dir: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority");
    std::fs::write(dir.join("ca.pem"), authority.pem()).expect("ca.pem");
    for (name, host) in [("server", "127.0.0.1"), ("client", "natsgate")] {
        let key = KeyPair::generate().expect("key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("certificate");
        let certificate = params.signed_by(&key, &authority).expect("certificate");
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).expect("certificate");
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).expect("key");
    }
}
