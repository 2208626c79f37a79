//! Which part of many is looked at.

/// A part of all, decided by a random number that each of them brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Below it is what is looked at; none: all of it.
    below: Option<u64>,
}

impl Sample {
    /// All of them.
    pub const ALL: Sample = Sample { below: None };

    /// A part from 0 to 1.
    pub fn of(part: f64) -> Sample {
        let below = (part < 1.0).then(|| (part.max(0.0) * u64::MAX as f64) as u64);
        Sample { below }
    }

    /// Whether the one of a random number is among them.
    pub fn takes(self, random: u64) -> bool {
        self.below.is_none_or(|below| random < below)
    }

    /// The same where the number is only needed for a part of them.
    pub fn takes_any(self) -> bool {
        self.below.is_none_or(|below| fastrand::u64(..) < below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_it_says() {
        assert!(Sample::of(1.0).takes(u64::MAX) && Sample::ALL.takes_any());
        assert!(!Sample::of(0.0).takes(0) && !Sample::of(0.0).takes_any());
        let tenth = Sample::of(0.1);
        assert!(tenth.takes(u64::MAX / 11) && !tenth.takes(u64::MAX / 9));
    }
}
