//! The document and its page over HTTP.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::{Document, demo, package};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;

const PUBLIC: &str = "server: { docs: /docs }\n";

async fn admin(gateway: &Gateway, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    Client::connect(&gateway.admin).await.send(method, path, headers, b"").await
}

fn unpacked(answer: &Answer) -> String {
    assert_eq!(answer.header("content-encoding"), Some("gzip"), "{:?}", answer.headers);
    let mut text = String::new();
    flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).expect("gzip");
    text
}

#[tokio::test]
async fn what_is_served_is_what_is_printed() {
    let gateway =
        Gateway::start_unconnected(NOWHERE, &format!("{}{}", PUBLIC, without_server(&demo())), &[]).await;
    let json = String::from_utf8(gateway.inner.published().json().to_vec()).expect("UTF-8");
    for (url, which) in [(&gateway.url, "public"), (&gateway.admin, "admin")] {
        let ask = async |headers: &[(&str, &str)]| {
            let mut client = Client::connect(url).await;
            client.send_to("localhost", "GET", "/docs/openapi.json", headers, b"").await
        };
        let answer = ask(&[]).await;
        assert_eq!((answer.status, answer.text()), (200, json.clone()), "{which}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let packed = ask(&[("Accept-Encoding", "gzip")]).await;
        assert_eq!(unpacked(&packed), json, "{which}");
        assert_ne!(packed.header("etag"), answer.header("etag"), "two representations");
    }
    let yaml = gateway.get("/docs/openapi.yaml").await;
    assert_eq!(yaml.header("content-type"), Some("application/yaml"));
    assert_eq!(yaml.body, gateway.inner.published().yaml());
}

#[tokio::test]
async fn a_client_that_has_it_is_told_so() {
    let gateway = Gateway::start_unconnected(NOWHERE, &format!("{PUBLIC}{OPERATION}"), &[]).await;
    for path in
        ["/docs", "/docs/openapi.json", "/docs/openapi.yaml", "/docs/swagger-ui-bundle.js", "/docs/docs.css"]
    {
        let first = gateway.get(path).await;
        let tag = first.header("etag").expect("a tag").to_owned();
        assert_eq!(first.header("cache-control"), Some("no-cache"), "{path}");
        let again = gateway.send("GET", path, &[("If-None-Match", &format!("\"x\", W/{tag}"))], b"").await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{path}");
        let head = gateway.send("HEAD", path, &[], b"").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), Some(&*first.body.len().to_string()), "{path}");
        let post = gateway.post(path, "{}").await;
        assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    let slash = gateway.get("/docs/").await;
    assert_eq!((slash.status, slash.header("location")), (308, Some("../docs")));
    assert_eq!(gateway.get("/docs/other").await.status, 404);
    assert_eq!(gateway.get("/docsx").await.status, 404);
}

#[tokio::test]
async fn a_browser_runs_nothing_of_the_page_but_its_own_scripts() {
    let gateway = Gateway::start_unconnected(NOWHERE, OPERATION, &[]).await;
    let page = admin(&gateway, "GET", "/docs", &[]).await;
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let text = page.text();
    assert!(text.contains("data-calls=\"no\""), "the admin listener has no operations: {text}");
    assert!(!text.contains("http"), "an address of somewhere else: {text}");
    let sources: Vec<&str> = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(sources.len(), text.matches("<script").count(), "a script stands in the page: {text}");
    for source in sources {
        assert_eq!(admin(&gateway, "GET", &format!("/{source}"), &[]).await.status, 200, "{source}");
    }
    assert_eq!(gateway.get("/docs").await.status, 404, "public without being asked for");
}

#[tokio::test]
async fn an_operation_of_the_same_path_wins() {
    let operation = "operations:\n  GET /docs/{name}: { request: { subject: \"a.${path.name}\" } }\n";
    let gateway = Gateway::start_unconnected(NOWHERE, &format!("{PUBLIC}{operation}"), &[]).await;
    assert_eq!(
        gateway.get("/docs/openapi.json").await.problem().0,
        "invalid_parameter",
        "it is an operation"
    );
    assert_eq!(gateway.get("/docs/docs.css").await.problem().0, "invalid_parameter");
    assert_eq!(gateway.get("/docs").await.status, 200, "this one is not");
}

#[test]
fn that_an_operation_hides_the_page_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("{PUBLIC}operations:\n  POST /docs/{{name}}: {{ request: {{ subject: a }} }}\n");
    std::fs::write(folder.path().join("natsgate.yaml"), text).expect("a file");
    let run = crate::support::command::natsgate(
        folder.path().to_str().expect("UTF-8"),
        &["check", "--config", "natsgate.yaml"],
    );
    assert!(run.seen().contains("is the path of an operation"), "{}", run.seen());
}

#[tokio::test]
async fn the_program_serves_it_too() {
    let nats = NatsServer::start().await;
    let process = Process::serve(&nats.url(), &format!("{PUBLIC}{OPERATION}")).await;
    let answer = process.send("GET", "/docs/openapi.json", &[]).await;
    assert_eq!(answer.json()["openapi"], "3.1.0");
}

#[test]
fn the_vendored_files_are_those_of_the_release() {
    let read = |name: &str| std::fs::read(package("src/openapi/assets").join(name)).expect("a file");
    let packed = read("swagger-ui-bundle.js.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
    assert!(text.contains("5.35.0"), "the release that the README names");
    for (name, digest) in [
        ("swagger-ui-bundle.js.gz", "942e6424651db3a09f5a820c2bf585474ce8546335017a2b4384119b59e2309c"),
        ("swagger-ui.css.gz", "d17ed1f792333a1fb97ad0a8cbc72d706460d55dfac156fd1e74f50400ec7729"),
    ] {
        let found: String = Sha256::digest(read(name)).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{name} is not what scripts/swagger-ui makes");
    }
    assert!(!text.contains("sourceMappingURL"), "a browser would look for it");
}

const NOWHERE: &str = "nats://127.0.0.1:1";
const OPERATION: &str = "operations:\n  GET /a/{b}: { request: { subject: \"a.${path.b}\" } }\n";

/// The demo's configuration without its `server`, for another.
fn without_server(yaml: &str) -> String {
    let (before, rest) = yaml.split_once("server:\n").expect("a section");
    let (_, after) = rest.split_once("\nnats:\n").expect("the next");
    format!("{before}nats:\n{after}")
}

#[tokio::test]
async fn the_document_names_nothing_internal() {
    let gateway = Gateway::start_unconnected(NOWHERE, &demo(), &[]).await;
    let text = Document::of(&gateway).0.to_string();
    for internal in ["auth.users", "STACKS", "127.0.0.1", "common.yaml", env!("CARGO_MANIFEST_DIR")] {
        assert!(!text.contains(internal), "{internal}");
    }
}
