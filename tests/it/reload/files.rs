//! Changed files are found by themselves, however they change.

use std::os::unix::fs::symlink;

use natsgate::gateway::reload::{Cause, Outcome};

use super::{answers, write};
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const A: &str = "operations:\n  GET /a: { request: { subject: a } }\n";
const B: &str = "operations:\n  GET /b: { request: { subject: b } }\n";

#[tokio::test]
async fn a_configuration_that_is_replaced_or_rewritten_in_place() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let gateway = Gateway::start(&nats.url(), A).await;
    write(&gateway, B);
    answers(&gateway, "/b", 200).await;
    let path = gateway.dir().join("natsgate.yaml");
    std::fs::write(&path, format!("nats: {{ ping_interval: 500ms }}\n{A}")).expect("written in place");
    answers(&gateway, "/a", 200).await;
    // What is broken is told, and what is mended again is what runs.
    let good = std::fs::read(&path).expect("the configuration");
    std::fs::write(&path, "operations: [").expect("written in place");
    outcome(&gateway, Outcome::Invalid).await;
    std::fs::write(&path, good).expect("written in place");
    outcome(&gateway, Outcome::Unchanged).await;
    assert_eq!(*gateway.inner.generation().borrow(), 3);
}

#[tokio::test]
async fn a_new_file_of_a_pattern_and_one_that_goes() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let gateway = Gateway::start(&nats.url(), &format!("include: ['*.ops.yaml']\n{A}")).await;
    gateway.replace("team.ops.yaml", B);
    answers(&gateway, "/b", 200).await;
    std::fs::remove_file(gateway.dir().join("team.ops.yaml")).expect("remove");
    answers(&gateway, "/b", 404).await;
    assert_eq!(gateway.get("/a").await.status, 200);
}

#[tokio::test]
async fn the_first_file_of_a_pattern_in_a_folder_of_its_own() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let yaml = format!("include: ['teams/*.yaml']\n{A}");
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    std::fs::create_dir(gateway.dir().join("teams")).expect("a folder");
    for _ in 0..2 {
        gateway.replace("teams/b.yaml", B);
        answers(&gateway, "/b", 200).await;
        std::fs::remove_file(gateway.dir().join("teams/b.yaml")).expect("remove");
        answers(&gateway, "/b", 404).await;
        // Whatever else is reloaded in the meantime.
        assert_eq!(gateway.reloader.reload(Cause::Signal).await.outcome, Outcome::Applied);
    }
}

#[tokio::test]
async fn a_contract_that_changes() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let contract = |path: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{ title: t, version: '1' }}\npaths:\n  {path}:\n    get: {{ operationId: op, responses: {{ '200': {{ description: d }} }} }}\n"
        )
    };
    let yaml = "contracts: [{ file: openapi.yaml }]\noperations:\n  op: { request: { subject: a } }\n";
    let gateway = Gateway::start_with(&nats.url(), yaml, &[("openapi.yaml", &contract("/old"))]).await;
    assert_eq!(gateway.get("/old").await.status, 200);
    gateway.replace("openapi.yaml", &contract("/new"));
    answers(&gateway, "/new", 200).await;
    assert_eq!(gateway.get("/old").await.status, 404);
}

/// As a cluster mounts a `ConfigMap`: names lead through `..data`, which is swapped in one step.
#[tokio::test]
async fn a_symbolic_link_that_is_swapped() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let mount = tempfile::tempdir().expect("temporary directory");
    let version = |name: &str, text: &str| {
        let folder = mount.path().join(name);
        std::fs::create_dir(&folder).expect("a version");
        std::fs::write(folder.join("ops.yaml"), text).expect("its file");
    };
    version("..1", A);
    version("..2", B);
    symlink("..1", mount.path().join("..data")).expect("link");
    symlink("..data/ops.yaml", mount.path().join("ops.yaml")).expect("link");
    let yaml = format!("include: ['{}/ops.yaml']\noperations: {{}}\n", mount.path().display());
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    assert_eq!(gateway.get("/a").await.status, 200);
    symlink("..2", mount.path().join("..data_tmp")).expect("link");
    std::fs::rename(mount.path().join("..data_tmp"), mount.path().join("..data")).expect("swap");
    answers(&gateway, "/b", 200).await;
    assert_eq!(gateway.get("/a").await.status, 404);
}

async fn outcome(gateway: &Gateway, outcome: Outcome) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
    while gateway.reloader.last().is_none_or(|last| last.outcome != outcome) {
        assert!(tokio::time::Instant::now() < until, "never {outcome:?}: {:?}", gateway.reloader.last());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A mistake in a path must not take the memory or the reloads of a gateway that runs.
#[tokio::test]
async fn what_never_ends_is_refused_and_the_next_reload_is_as_ever() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let yaml = format!("contracts: [{{ file: c.yaml }}]\n{A}");
    let contract = "openapi: 3.1.0\ninfo: { title: t, version: '1' }\npaths: {}\n";
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("c.yaml", contract)]).await;
    let path = gateway.dir().join("c.yaml");
    let fifo = gateway.dir().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for endless in [std::path::Path::new("/dev/zero"), &fifo] {
        std::fs::remove_file(&path).expect("remove");
        symlink(endless, &path).expect("link");
        let reload = gateway.reloader.reload(Cause::Signal).await;
        assert_eq!(reload.outcome, Outcome::Invalid, "{}", reload.report);
        assert!(reload.report.contains("it is no regular file"), "{}", reload.report);
        assert_eq!(gateway.get("/a").await.status, 200);
    }
    gateway.replace("c.yaml", contract);
    assert_eq!(gateway.reloader.reload(Cause::Signal).await.outcome, Outcome::Applied);
}

/// Whoever asks again and again, and does not wait, leaves no row of reloads behind.
#[tokio::test]
async fn those_that_wait_for_a_reload_share_the_next_one() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let with = |operations| format!("server: {{ watch_files: false }}\n{operations}");
    let gateway = Gateway::start(&nats.url(), &with(A)).await;
    let all = futures_util::future::join_all((0..50).map(|_| gateway.reloader.reload(Cause::Api))).await;
    let applied = gateway.reloader.counts().into_iter().find(|(outcome, _)| *outcome == Outcome::Applied);
    assert_eq!(all.len(), 50);
    assert!(applied.is_some_and(|(_, count)| count <= 2), "{applied:?}");
    write(&gateway, &with(B));
    assert_eq!(gateway.reloader.reload(Cause::Api).await.added, ["GET /b"]);
}
