//! Text files, read up to a limit: devices and fifos never end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a file of at most `limit` bytes. Blocking.
///
/// # Errors
/// When the file cannot be read, is longer, or is not UTF-8.
pub(super) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    match length as u64 > limit {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes"))),
        false => Ok(text),
    }
}
