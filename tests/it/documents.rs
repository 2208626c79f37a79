//! The documents say what is so: every YAML fragment of README and guide is fit for use, every command that they show
//! exists, and every link between files leads somewhere.

mod clients;
mod followed;
mod markdown;
mod shown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use markdown::{Fragment, fragments, links, slugs};

use crate::support::command::natsgate;

const WITH_FRAGMENTS: [&str; 3] = ["README.md", "docs/guide.md", "docs/deploying.md"];
const WITH_LINKS: [&str; 18] = [
    "README.md",
    "docs/admin-api.md",
    "docs/clients.md",
    "docs/configuration.md",
    "docs/deploying.md",
    "docs/guide.md",
    "docs/lint.md",
    "docs/metrics.md",
    "docs/migrating.md",
    "docs/operating.md",
    "docs/performance.md",
    "docs/problems.md",
    "docs/securing.md",
    "docs/streams.md",
    "docs/troubleshooting.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "deploy/helm/natsgate/README.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A fragment as a whole file. What begins inside an operation gets one around it.
fn whole(yaml: &str) -> String {
    let first = yaml.lines().find(|line| !line.trim().is_empty()).expect("a line");
    if !first.starts_with(' ') {
        return yaml.to_owned();
    }
    let bound =
        ["    request:", "    publish:"].iter().any(|key| yaml.lines().any(|line| line.starts_with(key)));
    let binding = if bound { "" } else { "    request: { subject: users.orders }\n" };
    format!("operations:\n  POST /users/{{id}}/orders:\n{binding}{yaml}")
}

/// Checks every fragment of one document in a folder that lies in the repository as `config/` does; what is found.
fn findings(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("openapi"), folder.path().join("openapi")).expect("a link");
    let here = folder.path().join("config");
    std::fs::create_dir(&here).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(here.join(name), text).expect("a file");
    let yaml: Vec<Fragment> = fragments(text).into_iter().filter(|one| one.language == "yaml").collect();
    // Fragments with a name may refer to one another.
    for Fragment { name, text, .. } in &yaml {
        name.iter().for_each(|name| write(name, &whole(text)));
    }
    let check = |fragment: &Fragment| {
        let name = fragment.name.as_deref().unwrap_or("unnamed.yaml");
        write(name, &whole(&fragment.text));
        let config = if fragment.text.starts_with("apiVersion:") {
            write("manifests.yaml", &format!("manifests: [{name}]\noperations: {{}}\n"));
            "manifests.yaml"
        } else {
            name
        };
        let run = natsgate(here.to_str().expect("UTF-8"), &["check", "--strict", "--config", config]);
        (run.code != 0 || !run.stderr.is_empty()).then(|| format!("line {}:\n{}", fragment.line, run.seen()))
    };
    yaml.iter().filter_map(check).collect()
}

#[test]
fn every_yaml_fragment_is_fit_for_use() {
    let mut seen = 0;
    for document in WITH_FRAGMENTS {
        let text = read(document);
        seen += fragments(&text).iter().filter(|one| one.language == "yaml").count();
        assert_eq!(findings(&text), Vec::<String>::new(), "{document}");
    }
    assert!(seen >= 7, "only {seen} fragments were found");
}

#[test]
fn a_fragment_that_has_rotted_is_found() {
    let rotten = "\
`old.yaml`:

```yaml
operations:
  GET /a: { request: { subject: a, retries: 3 } }
```

And inside an operation:

```yaml
    reply:
      - when: ${statuz == 404}
```
";
    let found = findings(rotten);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("line 4:\n") && found[0].contains("unknown key `retries`"), "{}", found[0]);
    assert!(
        found[1].contains("line 11:\n") && found[1].contains("unknown variable `statuz`"),
        "{}",
        found[1]
    );
}

/// The commands in the code of a document: `natsgate` and what follows, up to a comment.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = fragments(text).into_iter().filter(|one| one.language.is_empty()).flat_map(|one| {
        one.text
            .lines()
            .map(|line| line.split(" #").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    });
    let words = lines.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words
        .filter(|words| words.first().is_some_and(|word| word.rsplit('/').next() == Some("natsgate")))
        .collect()
}

#[test]
fn every_command_that_is_shown_exists_with_its_flags() {
    let mut helps = BTreeMap::new();
    let mut flags = 0;
    for document in WITH_FRAGMENTS {
        for command in commands(&read(document)) {
            // Of a group, the command is the second word.
            let words = if command.get(1).is_some_and(|word| word == "streams") { 1..3 } else { 1..2 };
            let name = command.get(words).expect("a subcommand").to_vec();
            let args: Vec<&str> = name.iter().map(String::as_str).chain(["--help"]).collect();
            let help = helps.entry(name.clone()).or_insert_with(|| natsgate(".", &args));
            assert_eq!(help.code, 0, "{document}: {command:?}");
            for flag in command.iter().filter(|word| word.starts_with("--")) {
                flags += 1;
                assert!(
                    help.stdout.contains(&format!("{flag} ")) || help.stdout.contains(&format!("{flag}\n")),
                    "{document}: {command:?}: no {flag}"
                );
            }
        }
    }
    assert!(helps.len() >= 4 && flags >= 7, "{flags} flags of {:?}", helps.keys());
}

/// Where a link of a document leads nowhere: no such file, or no such heading in it.
fn broken<'t>(document: &str, text: &'t str) -> Vec<&'t str> {
    let folder = Path::new(document).parent().expect("a folder");
    let leads = |link: &str| {
        let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
        let target: PathBuf = if file.is_empty() { document.into() } else { folder.join(file) };
        let target = root().join(target);
        target.exists()
            && anchor.is_none_or(|anchor| {
                std::fs::read_to_string(target)
                    .is_ok_and(|text| slugs(&text).iter().any(|slug| slug == anchor))
            })
    };
    links(text).into_iter().filter(|link| !link.contains("://") && !leads(link)).collect()
}

#[test]
fn every_link_between_files_leads_somewhere() {
    let mut seen = 0;
    for document in WITH_LINKS {
        let text = read(document);
        seen += links(&text).iter().filter(|link| !link.contains("://")).count();
        assert_eq!(broken(document, &text), Vec::<&str>::new(), "{document}");
    }
    assert!(seen >= 9, "only {seen} links were found");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text =
        "[a](problems.md) [b](gone.md), [c](../README.md#try-it) [d](../README.md#gone) [e](https://nats.io)";
    assert_eq!(broken("docs/guide.md", text), ["gone.md", "../README.md#gone"]);
}
