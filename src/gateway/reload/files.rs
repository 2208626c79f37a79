//! What files look like from outside: whether anything has changed, without reading it. A symbolic link that a cluster
//! swaps leads to another file, and a file that is new in a folder changes the folder's names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most names of one folder that are looked at.
const MOST: usize = 4096;
/// What may be a file of configuration.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Files and the folders that they stand in, at one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    files: BTreeMap<PathBuf, Option<Stamp>>,
    folders: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

/// What tells one version of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether it may have changed again since without a trace: clocks of file systems are coarse.
    fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        self.changed.0 >= i64::try_from(now).unwrap_or(i64::MAX) - 1
    }
}

impl Files {
    /// Looks at these files. Where `before` has one, its older look counts: the files were read between the two.
    pub(super) fn look(paths: BTreeSet<PathBuf>, before: Option<&Files>) -> Files {
        let stamp = |path: &Path| std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata));
        let folders: BTreeSet<PathBuf> = paths.iter().map(|path| parent(path)).collect();
        let files = paths.into_iter().map(|path| {
            let known = before.and_then(|before| before.files.get(&path).copied());
            // One that nobody has looked at before it was read may have been written meanwhile: it is looked at again.
            let unknown = || stamp(&path).filter(|stamp| before.is_none() || !stamp.is_fresh());
            (path.clone(), known.unwrap_or_else(unknown))
        });
        let files = files.collect();
        let folders = folders.into_iter().map(|folder| {
            let known = before.and_then(|before| before.folders.get(&folder).cloned());
            let names = known.unwrap_or_else(|| names(&folder));
            (folder, names)
        });
        Files { files, folders: folders.collect() }
    }

    /// Whether the folders hold what they held.
    pub(super) fn has_names_of(&self, other: &Files) -> bool {
        self.folders == other.folders
    }

    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.keys()
    }
}

fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// The names in a folder that may matter: files of configuration, and folders.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    let paths = entries.take(MOST).filter_map(Result::ok).map(|entry| entry.path());
    let matters = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ENDINGS.contains(&ending)) || path.is_dir()
    };
    paths.filter(matters).collect()
}
