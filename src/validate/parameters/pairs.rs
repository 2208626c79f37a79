//! Names and values as a query, a form or a cookie header has them, sorted, so that every look costs a search and
//! never a walk over all of them.

use std::borrow::Cow;

use super::scalar::Encoding;

/// More pairs than any form has; a request with more is refused before they are looked at.
pub(in crate::validate) const MOST: usize = 10_000;

/// One pair: its name decoded, its value as it came.
#[derive(Debug, Clone)]
pub(in crate::validate) struct Pair<'q> {
    pub(in crate::validate) name: Cow<'q, str>,
    pub(in crate::validate) raw: &'q str,
    /// The how-manieth it was.
    pub(super) at: usize,
}

/// Pairs by name, those of one name as they came.
#[derive(Debug)]
pub(in crate::validate) struct Pairs<'q> {
    sorted: Vec<Pair<'q>>,
    pub(super) encoding: Encoding,
    unreadable_names: bool,
}

/// There are more than [`MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::validate) struct TooMany;

impl<'q> Pairs<'q> {
    /// Those of a query or a form.
    pub(in crate::validate) fn of_form(text: &'q str) -> Result<Pairs<'q>, TooMany> {
        Self::new(text.split('&'), Encoding::Form)
    }

    /// Those of the lines of a cookie header: names are told apart by case, nothing is decoded (RFC 6265).
    /// `form` tells that `&` is a separator too, as the style `form` writes lists and maps.
    pub(super) fn of_cookies(lines: &[&'q str], form: bool) -> Result<Pairs<'q>, TooMany> {
        let separators: &[char] = if form { &[';', '&'] } else { &[';'] };
        Self::new(lines.iter().flat_map(|line| line.split(separators)).map(str::trim), Encoding::Plain)
    }

    /// A name that is no text is nobody's name, and left out.
    fn new(pairs: impl Iterator<Item = &'q str>, encoding: Encoding) -> Result<Pairs<'q>, TooMany> {
        let (mut sorted, mut unreadable_names) = (Vec::new(), false);
        for (at, pair) in pairs.filter(|pair| !pair.is_empty()).enumerate() {
            if at >= MOST {
                return Err(TooMany);
            }
            let (name, raw) = match pair.split_once('=') {
                Some(both) => both,
                // A cookie without a value has no name either.
                None if encoding == Encoding::Plain => continue,
                None => (pair, ""),
            };
            match encoding.decode(name) {
                Ok(name) => sorted.push(Pair { name, raw, at }),
                Err(_) => unreadable_names = true,
            }
        }
        sorted.sort_unstable_by(|a, b| a.name.cmp(&b.name).then(a.at.cmp(&b.at)));
        Ok(Pairs { sorted, encoding, unreadable_names })
    }

    /// Whether any name was left out because it is no text.
    pub(in crate::validate) fn has_unreadable_names(&self) -> bool {
        self.unreadable_names
    }

    /// Those of one name.
    pub(in crate::validate) fn exact(&self, name: &str) -> &[Pair<'q>] {
        let start = self.sorted.partition_point(|pair| *pair.name < *name);
        let rest = self.sorted.get(start..).unwrap_or_default();
        let count = rest.partition_point(|pair| *pair.name == *name);
        rest.get(..count).unwrap_or_default()
    }

    /// Those whose names are this one and then brackets: `name[…`.
    pub(super) fn inside(&self, name: &str) -> &[Pair<'q>] {
        let after = |pair: &Pair<'_>| pair.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
        let begins = |pair: &Pair<'_>| {
            let (own, rest) =
                pair.name.as_bytes().split_at_checked(name.len()).unwrap_or((pair.name.as_bytes(), b""));
            (own, rest.first()) < (name.as_bytes(), Some(&b'['))
        };
        let start = self.sorted.partition_point(begins);
        let rest = self.sorted.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(after)).unwrap_or_default()
    }

    /// All of them as they came.
    pub(in crate::validate) fn as_they_came(&self) -> Vec<&Pair<'q>> {
        let mut pairs: Vec<_> = self.sorted.iter().collect();
        pairs.sort_unstable_by_key(|pair| pair.at);
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_by_their_names() {
        let text = "b=2&a=1&b=%31&=x&c&&a%5Bx%5D=3&a[]=4&ab=5&a-=6&%ff=7&a=8&a[=9";
        let pairs = Pairs::of_form(text).unwrap();
        let raw =
            |found: &[Pair<'_>]| found.iter().map(|pair| pair.raw.to_owned()).collect::<Vec<_>>().join(" ");
        assert_eq!(raw(pairs.exact("a")), "1 8");
        assert_eq!(raw(pairs.exact("b")), "2 %31");
        assert_eq!(raw(pairs.exact("")), "x");
        assert_eq!(raw(pairs.exact("c")), "");
        assert_eq!(pairs.exact("c").len(), 1);
        assert_eq!(pairs.exact("d").len(), 0);
        assert_eq!(raw(pairs.inside("a")), "9 4 3");
        assert_eq!(raw(pairs.inside("b")), "");
        let all: Vec<&str> = pairs.as_they_came().iter().map(|pair| &*pair.name).collect();
        assert_eq!(all, ["b", "a", "b", "", "c", "a[x]", "a[]", "ab", "a-", "a", "a["]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        assert!(Pairs::of_form(&"a&".repeat(MOST)).is_ok());
        assert_eq!(Pairs::of_form(&"a&".repeat(MOST + 1)).unwrap_err(), TooMany);
    }
}
