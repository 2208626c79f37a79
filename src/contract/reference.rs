//! `$ref`: a file, relative to the one it stands in, and a pointer inside it.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// A reference, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Empty: the same file.
    pub(super) file: PathBuf,
    /// RFC 6901, percent-decoded. Empty: the whole document.
    pub(super) pointer: String,
}

impl Reference {
    /// Takes a reference apart; the error says why it cannot be followed.
    pub(super) fn parse(text: &str) -> Result<Reference, &'static str> {
        let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
        if has_scheme(file) {
            return Err("references to other hosts are not followed");
        }
        let decode =
            |part| percent_decode_str(part).decode_utf8().map_err(|_| "it is not UTF-8 once decoded");
        let pointer = decode(fragment)?.into_owned();
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err("no schema has this name as its `$anchor`");
        }
        Ok(Reference { file: PathBuf::from(&*decode(file)?), pointer })
    }
}

/// `https:` and the like; `C:` or `a/b:c` is a file.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (text, file, pointer) in [
            ("#/components/schemas/A", "", "/components/schemas/A"),
            ("b.yaml", "b.yaml", ""),
            ("../b%20c.yaml#", "../b c.yaml", ""),
            ("b.yaml#/paths/~1a~1%7Bid%7D", "b.yaml", "/paths/~1a~1{id}"),
        ] {
            let expected = Reference { file: file.into(), pointer: pointer.into() };
            assert_eq!(Reference::parse(text), Ok(expected), "{text}");
        }
        for text in ["https://example.com/a.yaml#/A", "#anchor", "urn:x", "%ff.yaml"] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
