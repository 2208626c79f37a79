//! Request ids: UUID version 7 (RFC 9562), so that they sort by time.

use std::fmt;
use std::time::SystemTime;

/// A request id in its text form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 36]);

impl RequestId {
    /// A fresh id. 74 of its bits are random: unique, and not a secret.
    pub fn new(time: SystemTime) -> RequestId {
        let millis = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let random = fastrand::u128(..);
        let bits = (millis << 80) | (random & !(0xffff_ffff_ffff << 80));
        let bits = (bits & !(0xf << 76)) | (0x7 << 76);
        let bits = (bits & !(0x3 << 62)) | (0x2 << 62);
        let mut text = [b'-'; 36];
        let mut shift = 128;
        for (position, byte) in text.iter_mut().enumerate() {
            if !matches!(position, 8 | 13 | 18 | 23) {
                shift -= 4;
                *byte = b"0123456789abcdef"[(bits >> shift & 0xf) as usize];
            }
        }
        RequestId(text)
    }

    /// The 36 characters.
    pub fn as_str(&self) -> &str {
        // Only hexadecimal digits and hyphens are ever written into it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_version_7_uuid_that_holds_the_time() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(0x0123_4567_89ab);
        let (a, b) = (RequestId::new(time), RequestId::new(time));
        assert_ne!(a, b);
        let text = a.as_str();
        assert!(text.starts_with("01234567-89ab-7"), "{text}");
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        assert_eq!(text.len(), 36);
    }
}
