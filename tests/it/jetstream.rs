//! Manifests: reading them, judging operations by them, and creating on a real server what they declare.

mod apply;
mod bench;
mod buckets;
mod classes;
mod command;
mod drift;
mod lint;
mod losses;
mod manifests;
mod operations;
mod plan;
mod property;
mod watch;

use std::path::{Path, PathBuf};

use natsgate::diagnostic::{Diagnostics, Place};
use natsgate::jetstream::manifest::{self, Manifests};
use natsgate::yaml::Located;

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Loads paths below `tests/jetstream`, as a configuration of one line a path would name them.
fn load(paths: &[&str]) -> (Manifests, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let file = diagnostics.add_source(Path::new("natsgate.yaml"), format!("{}\n", paths.join("\n")));
    let place = |(path, line): (&&str, u32)| Place { file, line, column: 1, length: path.len() as u32 };
    let paths: Vec<_> = paths
        .iter()
        .zip(1..)
        .map(|(path, line)| Located {
            value: package("tests/jetstream").join(path),
            place: place((path, line)),
        })
        .collect();
    let manifests = manifest::load(&paths, &mut diagnostics);
    (manifests, diagnostics)
}

/// The report with paths as if the working directory were the folder of the cases.
fn report(diagnostics: &Diagnostics) -> String {
    diagnostics.render().replace(&format!("{}/", package("tests/jetstream").display()), "")
}

/// Manifests from text that has nothing wrong with it.
fn declared(text: &str) -> Manifests {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("manifest.yaml");
    std::fs::write(&file, text).expect("manifest");
    let mut diagnostics = Diagnostics::default();
    let manifests = manifest::load(&[Located::default_of(file)], &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render());
    manifests
}
