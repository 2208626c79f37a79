//! A YAML file of names, each with a hash: what files of API keys and of users have in common.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::yaml::{self, Node, Value};

/// Reads such a file. `read` makes something of each hash, or says what is wrong with it, without its text.
pub(super) fn read<T>(
    path: &Path,
    text: String,
    help: &str,
    diagnostics: &mut Diagnostics,
    read: impl Fn(&str, &str) -> Result<T, String>,
) -> Option<Vec<(String, Place, T)>> {
    // What is being written looks like this for a moment, and nobody shall lose a key by that.
    let is_bare = !text.contains('{');
    let file = diagnostics.add_source(path, text);
    let before = diagnostics.count(Severity::Error);
    let root = yaml::parse(file, diagnostics)?;
    // Whoever writes a key or a password there, and not its hash, shall not find it in a report.
    hide(&root, diagnostics);
    let Value::Map(entries) = &root.value else {
        let message = format!("expected a map of names, found {}", root.kind());
        diagnostics.push(Diagnostic::error(root.place, message).help(help));
        return None;
    };
    if entries.is_empty() && is_bare {
        let help = "write `{}` where nobody is to have one";
        diagnostics.push(Diagnostic::error(Place::file(file), "there is no name in it").help(help));
    }
    let mut all = Vec::new();
    for (key, node) in entries {
        let name = &key.name;
        if name.is_empty() || name.chars().any(char::is_control) {
            let message = "a name is empty, or holds control characters";
            diagnostics.push(Diagnostic::error(key.place, message).help("give it a name that can be shown"));
        }
        let hash = node.as_str().ok_or_else(|| format!("expected text, found {}", node.kind()));
        match hash.and_then(|hash| read(name, hash)) {
            Ok(value) => all.push((name.clone(), key.place, value)),
            Err(message) => diagnostics.push(Diagnostic::error(node.place, message).help(help)),
        }
    }
    (diagnostics.count(Severity::Error) == before).then_some(all)
}

fn hide(node: &Node, diagnostics: &mut Diagnostics) {
    node.entries().iter().for_each(|(_, child)| hide(child, diagnostics));
    node.items().iter().for_each(|child| hide(child, diagnostics));
    if !matches!(node.value, Value::Map(_) | Value::List(_) | Value::Null) {
        diagnostics.hide(node.place);
    }
}
