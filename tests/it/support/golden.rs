//! Golden files: what a person reads is kept beside the tests, and compared as a whole.

use std::path::PathBuf;

/// Compares text with the file at `path` (relative to the package). `UPDATE_GOLDEN=1` writes the file instead.
pub(crate) fn assert(path: &str, actual: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().expect("a golden file has a folder")).expect("make its folder");
        std::fs::write(&file, actual).expect("write the golden file");
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected != actual {
        let at = expected.lines().zip(actual.lines()).take_while(|(old, new)| old == new).count() + 1;
        panic!(
            "{path} differs from line {at} on; UPDATE_GOLDEN=1 rewrites it\n--- expected\n{expected}\n+++ actual\n{actual}"
        );
    }
}
