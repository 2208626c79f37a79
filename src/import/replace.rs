//! A file in the place of another one: as a whole or not at all, and not over the changes of somebody else.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It has another content now.
    Written,
    /// It had this content already.
    Same,
}

/// A file beside another one, gone again when it is dropped.
#[derive(Debug)]
pub(super) struct Beside(PathBuf);

impl Beside {
    /// Writes it. Its name ends as that of the other, by which its format is known.
    pub(super) fn write(file: &Path, text: &str) -> io::Result<Beside> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let beside = Beside(file.with_file_name(format!(".{}.{name}", std::process::id())));
        let mut written = File::options().write(true).create_new(true).open(&beside.0)?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        Ok(beside)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After a rename there is none.
        let _ = fs::remove_file(&self.0);
    }
}

/// Whether something can be replaced at all: a regular file, or nothing yet. A device or a pipe would be gone for whoever
/// else uses it, and a link that leads nowhere would be one no more.
pub(super) fn replaceable(file: &Path) -> io::Result<()> {
    let refused = |why| Err(io::Error::other(why));
    match (fs::metadata(file), fs::symlink_metadata(file)) {
        (Ok(there), _) if !there.is_file() => refused("it is no regular file"),
        (Err(error), Ok(_)) if error.kind() == io::ErrorKind::NotFound => {
            refused("it is a link that leads nowhere")
        }
        (Err(error), Ok(_)) => Err(error),
        _ => Ok(()),
    }
}

/// Replaces a file whose content was `before`; `None`: there was none.
pub(super) fn replace(file: &Path, before: Option<&str>, text: &str) -> io::Result<Replaced> {
    replaceable(file)?;
    // A link stays one: what it leads to is replaced.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let now = match fs::read_to_string(&file) {
        Ok(now) => Some(now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if now.as_deref() != before {
        return Err(io::Error::other("it has changed in the meantime; run the command again"));
    }
    if before == Some(text) {
        return Ok(Replaced::Same);
    }
    let beside = Beside::write(&file, text)?;
    if let Ok(metadata) = fs::metadata(&file) {
        fs::set_permissions(beside.path(), metadata.permissions())?;
    }
    fs::rename(beside.path(), &file)?;
    Ok(Replaced::Written)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_not_over_somebody_elses_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        assert_eq!(replace(&file, None, "a").unwrap(), Replaced::Written);
        assert_eq!(replace(&file, Some("a"), "a").unwrap(), Replaced::Same);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.yaml");
        symlink("a.yaml", &link).unwrap();
        assert_eq!(replace(&link, Some("a"), "b").unwrap(), Replaced::Written);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(replace(&file, Some("a"), "c").is_err());
        assert!(replace(&file, None, "c").is_err());
        for (name, leads_to) in
            [("nowhere", "not-there"), ("itself", "itself"), ("folder", "."), ("device", "/dev/zero")]
        {
            let link = folder.path().join(name);
            symlink(leads_to, &link).unwrap();
            assert!(replace(&link, None, "c").is_err() && replaceable(&link).is_err(), "{name}");
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{name}");
            fs::remove_file(&link).unwrap();
        }
        assert!(replaceable(folder.path()).is_err());
        assert!(replaceable(&folder.path().join("new")).is_ok());
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
