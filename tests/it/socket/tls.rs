//! TLS towards clients: who gets in, what is spoken, and how certificates are renewed.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;
use crate::support::tls::Certificates;

#[tokio::test]
async fn both_protocols_and_both_versions_are_spoken() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let certificates = Certificates::new();
    let gateway = Gateway::start(&nats.url(), &format!("{}{YAML}", certificates.server(false, ""))).await;
    for version in rustls::ALL_VERSIONS {
        let answer =
            certificates.client().with_version(version).get(&gateway.url, "/x").await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("fine"), "{answer}");
    }
    for (offered, chosen) in
        [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let stream = certificates.client().offering(offered).connect(&gateway.url).await.expect("TLS");
        let chosen_here = stream.get_ref().1.alpn_protocol();
        assert_eq!(chosen_here, chosen.map(str::as_bytes), "{offered:?}");
    }
    let authority = std::fs::read(certificates.path("ca.pem")).expect("ca.pem");
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&authority).expect("an authority")])
        .build()
        .expect("a client");
    let url = gateway.url.replace("http://", "https://");
    let answer = client.get(format!("{url}/x")).send().await.expect("an answer");
    assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    assert_eq!(answer.text().await.expect("a body"), "fine");
}

#[tokio::test]
async fn with_client_ca_only_known_clients_get_in() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let (certificates, strangers) = (Certificates::new(), Certificates::new());
    let gateway = Gateway::start(&nats.url(), &format!("{}{YAML}", certificates.server(true, ""))).await;
    for version in rustls::ALL_VERSIONS {
        let client = || certificates.client().with_version(version);
        let known = client().with_certificate(&certificates).get(&gateway.url, "/x").await;
        assert!(known.expect("an answer").ends_with("fine"));
        assert!(client().get(&gateway.url, "/x").await.is_err(), "without a certificate");
        let stranger = client().with_certificate(&strangers).get(&gateway.url, "/x").await;
        assert!(stranger.is_err(), "with another authority's");
    }
}

#[tokio::test]
async fn a_handshake_is_bounded_and_keeps_nobody_waiting() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let certificates = Certificates::new();
    let server = certificates.server(false, "  timeouts: { header: 700ms }\n");
    let gateway = Gateway::start(&nats.url(), &format!("{server}{YAML}")).await;
    let mut silent = Vec::new();
    for beginning in [&b""[..], b"\x16\x03\x01", b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n"] {
        let mut client = http::Client::connect(&gateway.url).await;
        client.write(beginning).await;
        silent.push((client, Instant::now()));
    }
    let began = Instant::now();
    assert!(certificates.client().get(&gateway.url, "/x").await.expect("an answer").ends_with("fine"));
    assert!(began.elapsed() < Duration::from_millis(600), "others wait: {:?}", began.elapsed());
    for (mut client, began) in silent {
        client.ends().await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    // The head has its own time, which begins after the handshake.
    let stream = TcpStream::connect(gateway.url.trim_start_matches("http://")).await.expect("connection");
    sleep(Duration::from_millis(400)).await;
    let mut stream = certificates.client().shake_hands(stream).await.expect("TLS");
    let began = Instant::now();
    let _ = stream.read(&mut [0; 1]).await;
    assert!((500..3000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

/// Waits until new connections are accepted by clients that trust these.
async fn trusted(certificates: &Certificates, url: &str) {
    let until = Instant::now() + Duration::from_secs(15);
    while certificates.client().get(url, "/x").await.is_err() {
        assert!(Instant::now() < until, "the renewed certificate was never picked up");
        sleep(Duration::from_millis(50)).await;
    }
}

fn copy(from: &Certificates, to: &Certificates, names: &[&str]) {
    for name in names {
        std::fs::copy(from.path(name), to.path(name)).expect("copy");
    }
}

#[tokio::test]
async fn renewed_files_are_picked_up_and_open_connections_go_on() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let (current, next) = (Certificates::new(), Certificates::new());
    let process = Process::serve(&nats.url(), &format!("{}{YAML}", current.server(false, ""))).await;
    process.connected().await;
    assert!(process.url.starts_with("https://"), "{}", process.url);
    let old = current.client();
    let old_authority = std::fs::read(current.path("ca.pem")).expect("ca.pem");
    let mut open = old.connect(&process.url).await.expect("TLS");

    // A key that is not the certificate's, then a file that is none: both are told, and change nothing.
    copy(&next, &current, &["server.key"]);
    let told = |file: &str| {
        let name = file.to_owned();
        move |line: &serde_json::Value| {
            line["level"] == "ERROR" && line["file"].as_str().is_some_and(|path| path.ends_with(&name))
        }
    };
    logged(&process, told("server.key")).await;
    std::fs::remove_file(current.path("server.pem")).expect("remove");
    logged(&process, told("server.pem")).await;
    assert!(old.get(&process.url, "/x").await.expect("an answer").ends_with("fine"));

    copy(&next, &current, &["server.pem"]);
    trusted(&next, &process.url).await;
    assert!(old.get(&process.url, "/x").await.is_err(), "the old certificate is not shown any more");
    assert_eq!(std::fs::read(current.path("ca.pem")).expect("ca.pem"), old_authority);
    tokio::io::AsyncWriteExt::write_all(
        &mut open,
        b"GET /x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    )
    .await
    .expect("an open connection goes on");
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.ends_with("fine"), "{answer}");

    // Two writes with a while between them are one renewal.
    let last = Certificates::new();
    copy(&last, &current, &["server.pem"]);
    sleep(Duration::from_millis(1050)).await;
    copy(&last, &current, &["server.key"]);
    trusted(&last, &process.url).await;
    let log = process.log();
    let errors: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 2, "each change is told once: {errors:?}");
}

async fn logged(process: &Process, is_it: impl Fn(&serde_json::Value) -> bool) {
    let until = Instant::now() + Duration::from_secs(15);
    while !process.log().iter().any(&is_it) {
        assert!(Instant::now() < until, "never logged: {:?}", process.log());
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_swapped_symbolic_link_is_a_renewal() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    // As Kubernetes mounts a secret: files are links through `..data`, which is replaced as a whole.
    let mount = Certificates(tempfile::tempdir().expect("temporary directory"));
    let (first, second) = (Certificates::new(), Certificates::new());
    let link = |to: &Certificates| {
        std::os::unix::fs::symlink(to.0.path(), mount.path("..new")).expect("link");
        std::fs::rename(mount.path("..new"), mount.path("..data")).expect("swap");
    };
    link(&first);
    for name in ["server.pem", "server.key"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), mount.path(name)).expect("link");
    }
    let gateway = Gateway::start(&nats.url(), &format!("{}{YAML}", mount.server(false, ""))).await;
    trusted(&first, &gateway.url).await;
    link(&second);
    trusted(&second, &gateway.url).await;
}

#[tokio::test]
async fn files_that_cannot_be_used_refuse_the_start_at_their_place() {
    let (certificates, other) = (Certificates::new(), Certificates::new());
    let junk = certificates.path("junk");
    std::fs::write(&junk, "hunter2").expect("junk");
    let report = |certificate: std::path::PathBuf, key: std::path::PathBuf, more: &str| {
        let yaml = format!(
            "server:\n  tls:\n    certificate: {}\n    key: {}{more}\n{YAML}",
            certificate.display(),
            key.display()
        );
        crate::support::gateway::refused(&yaml).unwrap_or_default()
    };
    let (pem, key) = (|| certificates.path("server.pem"), || certificates.path("server.key"));
    for (text, line, report) in [
        ("this file cannot be read", 3, report(certificates.path("none"), key(), "")),
        ("there is no certificate in this file", 3, report(junk.clone(), key(), "")),
        ("this file cannot be read", 4, report(pem(), certificates.path("none"), "")),
        ("there is no private key in this file", 4, report(pem(), junk.clone(), "")),
        ("this is not the key of the certificate", 4, report(pem(), other.path("server.key"), "")),
        (
            "there is no certificate in this file",
            5,
            report(pem(), key(), &format!("\n    client_ca: {}", junk.display())),
        ),
        ("this is the content of a file", 5, report(pem(), "|\n      a\n      b".into(), "")),
    ] {
        assert!(report.contains(text), "{text}: {report}");
        assert!(report.contains(&format!("natsgate.yaml:{line}:")), "{report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
    assert_eq!(report(pem(), key(), ""), "");
}
