//! Random bytes that nobody can guess.

use std::io;

use rustls::crypto::aws_lc_rs;

/// Fresh random bytes.
///
/// # Errors
/// If the system has none, which can only be while it starts.
pub(super) fn bytes<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| io::Error::other("the system has no random bytes"))
}
