//! `include:`: more files with operations, each read once.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::elsewhere::beside;
use super::load::{Operations, read_tree};
use super::{Operation, later};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{self, Entries, Located};

/// What an included file may hold.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Included {
    operations: Entries<Operation>,
}

/// Most files of one pattern: a pattern such as `/**` is a mistake, and must not read a whole disk.
const MOST: usize = 10_000;

/// Reads every file that the patterns name, in the order of the patterns and then of the alphabet.
pub(super) fn read(
    main: &Path,
    patterns: &[Located<String>],
    operations: &mut Operations,
    diagnostics: &mut Diagnostics,
) {
    let mut seen = vec![identity(main)];
    for pattern in patterns {
        for path in files(pattern, diagnostics) {
            let identity = identity(&path);
            if seen.first() == Some(&identity) {
                diagnostics.push(
                    Diagnostic::error(pattern.place, "this includes the file in which it stands")
                        .help("keep included files in a folder of their own: [operations/*.yaml]"),
                );
            } else if !seen.contains(&identity) {
                seen.push(identity);
                one(&path, pattern, operations, diagnostics);
            }
        }
    }
}

/// Two spellings of one path are one file.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn one(path: &Path, pattern: &Located<String>, operations: &mut Operations, diagnostics: &mut Diagnostics) {
    let tree = match read_tree(path, diagnostics) {
        Ok(tree) => tree,
        Err(error) => {
            diagnostics.push(
                Diagnostic::error(
                    pattern.place,
                    format!("the file `{}` cannot be read: {error}", path.display()),
                )
                .help("correct the path (it is relative to this file) or the file's permissions"),
            );
            return;
        }
    };
    let Some(tree) = tree else { return };
    let typed = yaml::read::<Included>(tree.clone(), later::is_later, diagnostics);
    operations.add(&tree, typed.unwrap_or_default().operations, diagnostics);
}

/// The files of a pattern. A path without wildcards must be there; a pattern should match something.
fn files(pattern: &Located<String>, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?', '[']) {
        return vec![beside(diagnostics, pattern.place, Path::new(pattern.as_str()))];
    }
    let folder = beside(diagnostics, pattern.place, Path::new(""));
    let folder = PathBuf::from(glob::Pattern::escape(&folder.to_string_lossy()));
    let found = match glob::glob(&folder.join(pattern.as_str()).to_string_lossy()) {
        Ok(found) => found,
        Err(error) => {
            diagnostics.push(
                Diagnostic::error(
                    pattern.place,
                    format!("`{}` is not a pattern: {}", pattern.value, error.msg),
                )
                .help("write a path with * for any part of a name: operations/*.yaml"),
            );
            return Vec::new();
        }
    };
    let files: Vec<PathBuf> = found.filter_map(Result::ok).filter(|path| path.is_file()).take(MOST).collect();
    if files.is_empty() {
        diagnostics.push(
            Diagnostic::warning(pattern.place, format!("no file matches `{}`", pattern.value))
                .help("correct the pattern (it is relative to this file), or remove it"),
        );
    }
    files
}
