//! Numbers as JSON writes them, compared and divided digit by digit: no double stands between, so nothing is rounded.

use std::cmp::Ordering;

/// A number: digits times a power of ten.
#[derive(Debug, Clone, Copy)]
pub struct Decimal<'a> {
    negative: bool,
    /// The digits from the first to the last that is not zero, with at most one point among them. Empty: zero.
    digits: &'a [u8],
    /// Of the last digit.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Takes a number apart. On a text that is none, the answers are arbitrary.
    #[must_use]
    pub fn new(text: &'a str) -> Decimal<'a> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], power(&text[at + 1..])),
            None => (text, 0),
        };
        let fraction = mantissa.find('.').map_or(0, |point| mantissa.len() - point - 1);
        let digits = mantissa.as_bytes();
        let cut = digits.iter().rposition(|digit| !matches!(digit, b'0' | b'.')).map_or(0, |last| last + 1);
        let (kept, trailing) = digits.split_at_checked(cut).unwrap_or((digits, &[]));
        let zeros = trailing.iter().filter(|digit| **digit == b'0').count();
        let first = kept.iter().position(|digit| !matches!(digit, b'0' | b'.')).unwrap_or(kept.len());
        let digits = kept.get(first..).unwrap_or_default();
        Decimal {
            negative: negative && !digits.is_empty(),
            digits,
            exponent: if digits.is_empty() { 0 } else { length(zeros) - length(fraction) + exponent },
        }
    }

    /// Whether there is no fraction: `1.0` and `1e2` have none.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// What stands before the point, if it has no more digits than 64 bits can need.
    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        let count = usize::try_from(self.magnitude()).ok().filter(|count| *count <= 20)?;
        let digits = self.each_digit().chain(std::iter::repeat(b'0')).take(count);
        let whole = digits.fold(0, |whole, digit| whole * 10 + i128::from(digit - b'0'));
        Some(if self.negative { -whole } else { whole })
    }

    /// Whether a division leaves nothing. Nothing is a multiple of zero.
    #[must_use]
    pub fn is_multiple_of(&self, divisor: &Decimal<'_>) -> bool {
        // What a schema writes has at most 17 digits, or is a 64-bit integer.
        let Some(mantissa) = divisor.mantissa() else { return false };
        if self.digits.is_empty() {
            return mantissa != 0;
        }
        // The last digit is not zero, so no power of ten can be divided away.
        let zeros = self.exponent.saturating_sub(divisor.exponent);
        if mantissa == 0 || zeros < 0 {
            return false;
        }
        let mantissa = u128::from(mantissa);
        let rest = self.each_digit().fold(0, |rest, digit| (rest * 10 + u128::from(digit - b'0')) % mantissa);
        (rest * power_of_ten(zeros.unsigned_abs(), mantissa)).is_multiple_of(mantissa)
    }

    /// Writes it so that two that are equal look the same.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.negative { b'-' } else { b'+' });
        out.extend(self.each_digit());
        out.push(b'e');
        out.extend_from_slice(self.exponent.to_string().as_bytes());
    }

    fn mantissa(&self) -> Option<u64> {
        self.each_digit()
            .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    fn each_digit(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.digits.iter().copied().filter(u8::is_ascii_digit)
    }

    /// The power of ten just above the number.
    fn magnitude(&self) -> i64 {
        length(self.each_digit().count()).saturating_add(self.exponent)
    }

    fn compare_absolute(&self, other: &Decimal<'_>) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        self.magnitude().cmp(&other.magnitude()).then_with(|| self.each_digit().cmp(other.each_digit()))
    }
}

/// The number after the `e`. What does not fit is as good as endless.
fn power(text: &str) -> i64 {
    let text = text.strip_prefix('+').unwrap_or(text);
    let endless = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    text.parse().map_or(endless, |power: i64| power.clamp(i64::MIN / 4, i64::MAX / 4))
}

/// Modulo `modulus`, which fits into 64 bits.
fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut power, mut square) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    power
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4)
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Decimal<'_>) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_absolute(other),
            (true, true) => other.compare_absolute(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Decimal<'_>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Decimal<'_>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_they_are_written() {
        // Each is less than the next.
        let rising = [
            "-1e400",
            "-18446744073709551617",
            "-18446744073709551616",
            "-1.5",
            "-1",
            "-0.1",
            "-1e-9",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000001",
            "0.3",
            "0.30000000000000004",
            "1",
            "1.00000000000000000000001",
            "2",
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.5",
            "1e20",
            "100000000000000000001",
            "1e400",
            "1e99999999999999999999",
        ];
        for (at, low) in rising.iter().enumerate() {
            for high in &rising[at + 1..] {
                assert!(Decimal::new(low) < Decimal::new(high), "{low} < {high}");
            }
        }
        for (one, other) in
            [("1", "1.0"), ("100", "1e2"), ("1e2", "1.00E+2"), ("0", "-0.0"), ("0.5", "5e-1"), ("0e9", "0")]
        {
            assert_eq!(Decimal::new(one), Decimal::new(other), "{one} {other}");
        }
    }

    #[test]
    fn integers_are_numbers_without_a_fraction() {
        for text in
            ["0", "1.0", "1e2", "-1.50e1", "9007199254740993", "1e400", "-0.0", "12345678901234567890.000"]
        {
            assert!(Decimal::new(text).is_integer(), "{text}");
        }
        for text in ["1.5", "1e-1", "9007199254740993.5", "15e-1", "0.00000000000000000001"] {
            assert!(!Decimal::new(text).is_integer(), "{text}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (value, divisor) in [
            ("0.07", "0.01"),
            ("1.1", "0.1"),
            ("19.99", "0.01"),
            ("1e2", "5"),
            ("0", "3"),
            ("12e30", "7e-3"),
            ("123456789012345678901234567890", "10"),
            ("4.5", "1.5"),
            ("-9", "3"),
            ("1e308", "0.5"),
            ("1.000", "1e0"),
        ] {
            let exact = Decimal::new(value).is_multiple_of(&Decimal::new(divisor));
            assert_eq!(exact, value != "12e30", "{value} {divisor}");
        }
        for (value, divisor) in [
            ("0.075", "0.01"),
            ("123456789012345678901234567891", "10"),
            ("7", "2"),
            ("1e-400", "1"),
            ("35", "1.5"),
            ("5", "0"),
        ] {
            assert!(!Decimal::new(value).is_multiple_of(&Decimal::new(divisor)), "{value} {divisor}");
        }
    }
}
