//! The rows of the code: a module uses only modules of lower rows, and each of its own children.
//!
//! Read from the text of `src/`: every path that begins with `crate::`, `self::` or `super::`, in `use` declarations
//! and inside code.

mod paths;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use paths::paths;

/// From the bottom to the top. A step holds modules that do not use each other.
const ROWS: &[&[&str]] = &[
    // 0a: words and formats
    &["body", "diagnostic", "file", "problem", "socket", "tls"],
    &["head", "json", "media_type", "subject", "telemetry", "yaml"],
    &["expression"],
    &["template"],
    // 0b: what is written, and the connection
    &["config", "contract", "nats", "upstream"],
    &["exchange"],
    // 1: the stages, in the order of a request: a later one takes what an earlier one made
    &["admit", "authenticate", "jetstream", "validate"],
    &["translate"],
    &["cors", "dispatch", "forward", "migrate"],
    // 2: what is compiled
    &["gateway::operation", "gateway::route"],
    // what is published of that
    &["openapi"],
    // 3: from what is written to what is compiled
    &["gateway::compile"],
    // 4: one request, top to bottom
    &["gateway"],
    // 5: what listens
    &["admin", "edge"],
    // 6: the process
    &["dev", "import", "serve"],
    // 7: the command
    &["cli"],
    &["main"],
];

/// A use of one module by another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    file: PathBuf,
    from: String,
    to: String,
}

#[test]
fn a_module_uses_only_modules_of_lower_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut edges = BTreeSet::new();
    let mut files = 0;
    walk(&root, &mut |file| {
        files += 1;
        let text = std::fs::read_to_string(file).expect("a source file");
        let short = file.strip_prefix(&root).expect("inside src");
        edges.extend(uses(short, &text).into_iter().map(|(from, to)| Edge {
            file: short.to_owned(),
            from,
            to,
        }));
    });
    assert!(files > 100 && edges.len() > 100, "{files} files and {} uses were found", edges.len());
    let wrong: Vec<String> = edges.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is wrong with a use, if anything is.
fn complaint(edge: &Edge) -> Option<String> {
    let Edge { file, from, to } = edge;
    let (Some(high), Some(low)) = (row(from), row(to)) else {
        let unknown = if row(from).is_none() { from } else { to };
        return Some(format!("{}: `{unknown}` stands in no row of this test", file.display()));
    };
    let allowed = from == to || low < high;
    (!allowed).then(|| format!("{}: `{from}` uses `{to}`, which does not stand below it", file.display()))
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The pairs of rows' modules that a file's paths connect.
fn uses(file: &Path, text: &str) -> BTreeSet<(String, String)> {
    let own = module_of(file);
    let from = owner(&own);
    // The crate's root only lists its modules.
    if own.is_empty() {
        return BTreeSet::new();
    }
    let connect = |path: Vec<String>| Some((from.clone(), owner(&absolute(&own, &path)?)));
    paths(text).into_iter().filter_map(connect).filter(|(_, to)| !to.is_empty()).collect()
}

/// `gateway/compile/bind.rs` is `[gateway, compile, bind]`; `lib.rs` is empty.
fn module_of(file: &Path) -> Vec<String> {
    let file = file.with_extension("");
    let names = file.iter().map(|name| name.to_str().expect("UTF-8").to_owned());
    names.filter(|name| name != "lib").collect()
}

/// The module of a row that a path lies in: the longest one that is listed, else its first name.
fn owner(path: &[String]) -> String {
    let two = path.iter().take(2).cloned().collect::<Vec<_>>().join("::");
    if row(&two).is_some() { two } else { path.first().cloned().unwrap_or_default() }
}

/// A path as it is written in a module → from the root of the crate.
fn absolute(own: &[String], path: &[String]) -> Option<Vec<String>> {
    let (mut at, mut rest) = (own.to_vec(), path);
    match rest.first()?.as_str() {
        "crate" | "natsgate" => (at, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        _ => {}
    }
    while rest.first().is_some_and(|name| name == "super") {
        at.pop();
        rest = &rest[1..];
    }
    at.extend(rest.iter().cloned());
    Some(at)
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path);
        }
    }
}

#[test]
fn every_file_belongs_to_the_crate() {
    for folder in ["src", "tests/it"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files = BTreeSet::new();
        walk(&root, &mut |file| {
            files.insert(file.strip_prefix(&root).expect("inside").to_owned());
        });
        let orphans: Vec<_> = files.iter().filter(|file| !is_declared(&root, file)).collect();
        assert!(orphans.is_empty(), "no `mod` names these files, so nothing compiles them: {orphans:?}");
    }
}

/// Whether the module around a file names it; the roots need no name.
fn is_declared(root: &Path, file: &Path) -> bool {
    let name = file.file_stem().and_then(|name| name.to_str()).expect("UTF-8");
    let around = file.parent().expect("a folder");
    let owners = match around.as_os_str().is_empty() {
        true if matches!(name, "lib" | "main") => return true,
        true => vec![root.join("lib.rs"), root.join("main.rs")],
        false => vec![root.join(around).with_extension("rs")],
    };
    let names = |text: String| {
        text.lines().any(|line| {
            let line = line.trim();
            line.strip_suffix(&format!("mod {name};"))
                .is_some_and(|before| before.is_empty() || before.ends_with(' '))
        })
    };
    owners.iter().filter_map(|owner| std::fs::read_to_string(owner).ok()).any(names)
}

#[test]
fn violations_are_found_wherever_they_are_written() {
    let complaints = |file: &str, text: &str| -> Vec<String> {
        let file = Path::new(file);
        uses(file, text)
            .into_iter()
            .map(|(from, to)| Edge { file: file.to_owned(), from, to })
            .filter_map(|edge| complaint(&edge))
            .collect()
    };
    for (file, text) in [
        ("problem.rs", "use crate::gateway::Gateway;"),
        ("problem/table.rs", "use crate::{problem::Code, head::Head};"),
        ("nats.rs", "fn a() -> crate::exchange::Reply { todo!() }"),
        ("nats.rs", "use crate::config::Config;"),
        ("config/check/nats.rs", "pub use crate::{\n    yaml::{self, Node},\n    nats::Options,\n};"),
        ("validate.rs", "use crate :: translate :: Seen ;"),
        ("authenticate.rs", "use crate::validate as v;"),
        ("gateway/operation.rs", "use super::Gateway;"),
        ("gateway/route/tree.rs", "use super::super::compile::{Compiled};"),
        ("gateway/compile/bind.rs", "fn f(x: &crate::gateway::checks::X) {}"),
        ("gateway.rs", "use crate::edge::*;"),
        ("serve.rs", "mod a { use crate::cli::main; }"),
        ("edge.rs", "use super::serve;"),
        ("newcomer.rs", "use crate::problem::Problem;"),
        ("gateway.rs", "use crate::newcomer::Thing;"),
        ("translate.rs", "macro_rules! m { () => { $crate::dispatch::send() } }"),
    ] {
        assert_eq!(complaints(file, text).len(), 1, "{file}: {text}");
    }
    for (file, text) in [
        ("gateway.rs", "use crate::dispatch::Binding; use compile::Compiled; use self::route::Table;"),
        ("gateway/compile.rs", "use super::operation::Route; mod bind; use crate::yaml::Located;"),
        ("gateway/compile/bind.rs", "use super::Target; use crate::gateway::operation::Finding;"),
        (
            "problem.rs",
            "// use crate::gateway::Gateway;\n/* crate::cli::x */ const A: &str = \"crate::cli::y\";",
        ),
        (
            "problem.rs",
            "/// [`crate::cli::main`] says more.\npub struct A; const B: &str = r#\"\"crate::cli::y\"#;",
        ),
        ("translate/answer.rs", "use super::{HttpResponse, case::Case}; use crate::validate::Payload;"),
        ("config.rs", "pub(in crate::config) mod check; pub(crate) fn f<'a>(x: &'a str) -> char { '\"' }"),
        ("main.rs", "fn main() { natsgate::cli::main() }"),
        ("lib.rs", "pub mod admin; use crate::cli::x;"),
    ] {
        assert_eq!(complaints(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
