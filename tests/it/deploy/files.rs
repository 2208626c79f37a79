//! Configurations and manifests, each checked where it will lie.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{CHART, files_under, read, root, yaml};
use crate::support::command::natsgate;

/// Checks a configuration; what is wrong with it.
fn check(folder: &Path, config: &str) -> Option<String> {
    let folder = folder.to_str().expect("UTF-8");
    let run = natsgate(folder, &["check", "--strict", "--config", config]);
    (run.code != 0 || !run.stderr.is_empty()).then(|| run.seen())
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

/// A pod's projected volume: what it shows are links into a folder of this version of the files.
fn projected(folder: &Path, files: &[(&str, String)]) {
    let version = folder.join("..2026_01_01");
    files.iter().for_each(|(name, text)| write(&version.join(name), text));
    symlink("..2026_01_01", folder.join("..data")).expect("a link");
    for entry in std::fs::read_dir(&version).expect("a folder").filter_map(Result::ok) {
        symlink(Path::new("..data").join(entry.file_name()), folder.join(entry.file_name())).expect("a link");
    }
}

#[test]
fn every_manifest_passes_the_checks() {
    let manifests: Vec<_> = files_under("deploy/jetstream");
    assert!(!manifests.is_empty());
    let folder = tempfile::tempdir().expect("a folder");
    for manifest in manifests {
        let path = root().join(&manifest);
        write(
            &folder.path().join("one.yaml"),
            &format!("manifests: [{}]\noperations: {{}}\n", path.display()),
        );
        assert_eq!(check(folder.path(), "one.yaml"), None, "{}", manifest.display());
    }
}

#[test]
fn the_charts_own_configuration_passes_the_checks() {
    let folder = tempfile::tempdir().expect("a folder");
    let values = yaml(&format!("{CHART}/values.yaml"));
    let text = values["config"]["natsgate"].as_str().expect("a text").to_owned();
    projected(folder.path(), &[("config/natsgate.yaml", text)]);
    assert_eq!(check(folder.path(), "config/natsgate.yaml"), None);
}

/// The folders in which the chart lays the files out, by what `config` calls them.
#[test]
fn the_repositorys_configuration_leads_to_the_same_files_in_a_pod() {
    let deployment = read(&format!("{CHART}/templates/deployment.yaml"));
    let layout = r#""operations" "config/operations" "contracts" "openapi" "manifests" "deploy/jetstream""#;
    assert!(deployment.contains(layout) && deployment.contains("path: config/natsgate.yaml"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = vec![("config/natsgate.yaml", read("config/natsgate.yaml"))];
    files.push(("openapi/common.yaml", read("openapi/common.yaml")));
    files.push(("deploy/jetstream/stacks.yaml", read("deploy/jetstream/stacks.yaml")));
    projected(folder.path(), &files);
    assert_eq!(check(folder.path(), "config/natsgate.yaml"), None);

    // And without one of them it would be told.
    std::fs::remove_file(folder.path().join("openapi/common.yaml")).expect("a file");
    assert!(
        check(folder.path(), "config/natsgate.yaml").is_some_and(|seen| seen.contains("openapi/common.yaml"))
    );
}

/// Docker lays out the same by bind mounts.
#[test]
fn the_repositorys_configuration_leads_to_the_same_files_in_compose() {
    let compose = yaml("deploy/compose.yaml");
    let folder = tempfile::tempdir().expect("a folder");
    for mount in compose["services"]["gateway"]["volumes"].as_array().expect("mounts") {
        let text = |key: &str| mount[key].as_str().expect("a path").to_owned();
        let target = folder.path().join(text("target").trim_start_matches('/'));
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("folders");
        symlink(root().join("deploy").join(text("source")).canonicalize().expect("a source"), target)
            .expect("a link");
    }
    let dockerfile = read("Dockerfile");
    let config =
        dockerfile.lines().find_map(|line| line.strip_prefix("ENV NATSGATE_CONFIG=/")).expect("a path");
    assert_eq!(check(folder.path(), config), None);
}
