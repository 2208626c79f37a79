//! The way from one file to another, as configurations write it.

use std::path::{Component, Path, PathBuf};

/// The way to a file from the folder of another one, which need not be there yet; absolute where there is none.
pub(super) fn way(from: &Path, to: &Path) -> PathBuf {
    let (Some(folder), Some(to)) = (real(folder(from)), real_file(to)) else { return to.to_owned() };
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(same).map(|_| Component::ParentDir);
    up.chain(to.iter().skip(same).copied()).collect()
}

/// Whether two paths lead to one file.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    matches!((real_file(a), real_file(b)), (Some(a), Some(b)) if a == b)
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// Its folder without links; the file itself may be one, and keeps its name.
fn real_file(path: &Path) -> Option<PathBuf> {
    Some(real(folder(path))?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_up_and_down() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("config/x")).unwrap();
        std::fs::create_dir_all(path("openapi")).unwrap();
        for (from, to, expected) in [
            ("natsgate.yaml", "api.yaml", "api.yaml"),
            ("config/natsgate.yaml", "openapi/api.yaml", "../openapi/api.yaml"),
            ("config/x/natsgate.yaml", "api.yaml", "../../api.yaml"),
            ("natsgate.yaml", "config/../openapi/api.yaml", "openapi/api.yaml"),
        ] {
            assert_eq!(way(&path(from), &path(to)), Path::new(expected), "{from} {to}");
        }
        assert!(is_same(&path("openapi/api.yaml"), &path("config/../openapi/api.yaml")));
        assert!(!is_same(&path("openapi/api.yaml"), &path("api.yaml")));
    }
}
