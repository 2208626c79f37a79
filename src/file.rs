//! Files read up to a limit. Devices and fifos never end, and opening a fifo waits for ever: where a reload would wait with
//! it, only regular files are read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The longest document that is read, such as a contract, in bytes.
pub const DOCUMENT: u64 = 64 << 20;

/// Reads a text of at most `limit` bytes, from whatever there is at the path. Blocking.
///
/// # Errors
/// When it cannot be read, is longer, or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    within(length, limit).map(|()| text)
}

/// Reads a regular file of at most [`DOCUMENT`] bytes. Blocking.
///
/// # Errors
/// When it cannot be read, is no regular file, or is longer.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let length = open_regular(path)?.take(DOCUMENT + 1).read_to_end(&mut content)?;
    within(length, DOCUMENT).map(|()| content)
}

/// The same, of text.
///
/// # Errors
/// As [`read_regular`], and when it is not UTF-8.
pub fn read_document(path: &Path) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(read_regular(path)?).map_err(not_text)
}

/// Opens a regular file.
///
/// # Errors
/// When it cannot be opened, or is something else.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    File::open(path)
}

fn within(length: usize, limit: u64) -> io::Result<()> {
    let too_long = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes"));
    if length as u64 > limit { Err(too_long()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for path in [&fifo, Path::new("/dev/zero"), folder.path()] {
            assert!(read_document(path).is_err(), "{}", path.display());
        }
        assert!(read_text(Path::new("/dev/zero"), 1 << 10).is_err());
        let file = folder.path().join("file");
        File::create(&file).unwrap().set_len(DOCUMENT + 1).unwrap();
        assert!(read_regular(&file).is_err());
    }
}
