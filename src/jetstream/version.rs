//! Versions of a server, so that a field can be held against the one that knows it first.

use std::fmt;

/// Major, minor and patch; what follows, such as `-RC.1`, does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Newer than every server: what is not known to be too old is not refused.
    pub const UNKNOWN: Version = Version(u32::MAX, 0, 0);

    /// `2.12.3`, `2.15.0-RC.1`. [`Self::UNKNOWN`] if it is written in another way.
    pub fn parse(text: &str) -> Version {
        let number = |part: &str| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end)?.parse::<u32>().ok()
        };
        let mut parts = text.splitn(3, '.').map(number);
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor), patch) => Version(major, minor, patch.unwrap_or(0)),
            _ => Version::UNKNOWN,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Version::UNKNOWN => f.write_str("of an unknown version"),
            Version(major, minor, patch) => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(Version::parse("2.12.3"), Version(2, 12, 3));
        assert_eq!(Version::parse("2.15.0-RC.1"), Version(2, 15, 0));
        assert_eq!(Version::parse("2.9"), Version(2, 9, 0));
        assert!(Version::parse("2.9.25") < Version::parse("2.10.0"));
        for odd in ["", "x", "2", "v2.10.0"] {
            assert_eq!(Version::parse(odd), Version::UNKNOWN, "{odd}");
        }
        assert!(Version::parse("2.99.0") < Version::UNKNOWN);
    }
}
