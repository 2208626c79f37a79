//! Subjects as text: which tokens are legal, which subjects may be published to, and how wildcards match.
//! Stops at text: it knows nothing of templates, requests or connections.

use std::borrow::Cow;
use std::fmt::Write;

/// Why a text cannot be one token of a subject that the gateway sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalToken {
    /// Two dots in a row, or nothing at all.
    #[error("is empty")]
    Empty,
    /// Would make two tokens of one.
    #[error("holds a dot")]
    Dot,
    /// `*` or `>`, anywhere in the token: stricter than the server, which takes `a*b` for a literal.
    #[error("holds a wildcard")]
    Wildcard,
    /// Would end the subject in the protocol line.
    #[error("holds white space")]
    Whitespace,
    /// A byte below 0x20, or 0x7f; some clients refuse to receive it.
    #[error("holds a control character")]
    Control,
    /// The server takes any bytes, clients differ: ASCII is what all of them agree on.
    #[error("holds a character outside ASCII")]
    NotAscii,
}

/// Why a subject written in a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// One of its tokens is not legal.
    #[error("token {position} of the subject {reason}")]
    Token {
        /// Counted from 1.
        position: usize,
        /// Reads on from the position.
        reason: IllegalToken,
    },
    /// Whoever fills it in would choose the name space.
    #[error("the subject starts with a parameter")]
    StartsWithParameter,
    /// Messages there would reach the server's own services, or somebody's replies.
    #[error("the subject lies under `{prefix}`, which belongs to the server or to inboxes")]
    Reserved {
        /// What belongs to others, like `$JS.`.
        prefix: &'static str,
    },
}

impl SubjectError {
    /// What the author of the subject does next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Token { reason: IllegalToken::Wildcard, .. } => {
                "a message is sent to one subject: write a literal token or a placeholder like `${path.id}`"
            }
            Self::Token { reason: IllegalToken::Empty, .. } => {
                "remove the leading, trailing or doubled dot, or fill the token"
            }
            Self::Token { .. } => "use printable ASCII without spaces; dots separate tokens",
            Self::StartsWithParameter => {
                "begin with a literal token, so that no caller can choose the subject's name space"
            }
            Self::Reserved { .. } => {
                "choose a subject of your own, for example one that starts with the service's name"
            }
        }
    }
}

/// One token of a subject template.
#[derive(Clone, Copy, Debug)]
pub enum PatternToken<'a> {
    /// Written out.
    Literal(&'a str),
    /// Filled for each request; `prefix` is the literal text before the first placeholder.
    Templated {
        /// Empty if the token starts with the placeholder.
        prefix: &'a str,
    },
}

/// Says whether `text` can be one token: printable ASCII without dots, wildcards and spaces, and not empty.
pub fn legal_token(text: &str) -> Result<(), IllegalToken> {
    if text.is_empty() {
        return Err(IllegalToken::Empty);
    }
    text.bytes().try_for_each(|byte| illegal_byte(byte).map_or(Ok(()), Err))
}

/// What [`legal_token`] takes, as a regular expression for whoever sends one.
pub const LEGAL_TOKEN: &str = r"^[!-)+,\-/-=?-~]+$";

/// Percent-encodes what is not legal in a token, and `%` itself, so that different texts stay different.
/// The empty text has no encoding and stays empty, which is not legal.
#[must_use]
pub fn encode_token(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte != b'%' && illegal_byte(byte).is_none();
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    Cow::Owned(encoded)
}

/// Checks a complete subject: every token legal, none a wildcard, and not under a reserved prefix.
#[cfg(test)]
pub(crate) fn check_subject(subject: &str) -> Result<(), SubjectError> {
    let tokens: Vec<_> = subject.split('.').map(PatternToken::Literal).collect();
    check_pattern(&tokens).into_iter().next().map_or(Ok(()), Err)
}

/// Checks the tokens of a subject template and returns everything that is wrong with them.
#[must_use]
pub fn check_pattern(tokens: &[PatternToken<'_>]) -> Vec<SubjectError> {
    let illegal = tokens.iter().zip(1..).filter_map(|(token, position)| {
        let reason = match token {
            PatternToken::Literal(text) => legal_token(text).err()?,
            PatternToken::Templated { .. } => return None,
        };
        Some(SubjectError::Token { position, reason })
    });
    let start = match tokens.first() {
        Some(PatternToken::Literal(text)) => reserved(text),
        // A prefix that differs from every reserved name already settles the name space.
        Some(PatternToken::Templated { prefix: "" }) => Some(SubjectError::StartsWithParameter),
        Some(PatternToken::Templated { prefix })
            if INBOX.starts_with(prefix) || prefix.starts_with(INBOX) =>
        {
            Some(SubjectError::Reserved { prefix: "_INBOX." })
        }
        Some(PatternToken::Templated { prefix }) => reserved(prefix),
        None => None,
    };
    illegal.chain(start).collect()
}

/// Says whether every subject that `subject` stands for (a literal, or a pattern with `*` and `>`) matches `filter`.
#[must_use]
pub fn covers(filter: &str, subject: &str) -> bool {
    let mut wanted = subject.split('.');
    let mut filter = filter.split('.').peekable();
    while let Some(token) = filter.next() {
        let Some(other) = wanted.next() else { return false };
        match token {
            ">" if filter.peek().is_none() => return true,
            "*" if other != ">" => {}
            _ if token == other && token != "*" => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

/// Says whether some subject matches both `a` and `b`, each a literal or a pattern with `*` and `>`.
#[must_use]
pub fn overlaps(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (None, _) | (_, None) => return false,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(left), Some(right)) if left == right || left == "*" || right == "*" => {}
            _ => return false,
        }
    }
}

const INBOX: &str = "_INBOX";

/// Everything that starts with `$` is the server's: `$JS`, `$SYS`, `$KV`, `$O`, `$SRV` and what comes later.
fn reserved(first: &str) -> Option<SubjectError> {
    let prefix = match first {
        _ if first.starts_with("$JS") => "$JS.",
        _ if first.starts_with("$SYS") => "$SYS.",
        _ if first.starts_with('$') => "$",
        _ if first == INBOX => "_INBOX.",
        _ => return None,
    };
    Some(SubjectError::Reserved { prefix })
}

const fn illegal_byte(byte: u8) -> Option<IllegalToken> {
    match byte {
        b'.' => Some(IllegalToken::Dot),
        b'*' | b'>' => Some(IllegalToken::Wildcard),
        b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => Some(IllegalToken::Whitespace),
        0..=0x1f | 0x7f => Some(IllegalToken::Control),
        0x80.. => Some(IllegalToken::NotAscii),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_are_printable_ascii_without_separators() {
        use IllegalToken::*;
        for (text, expected) in [
            ("a", Ok(())),
            ("user@example", Ok(())),
            ("a%2Fb$-_~!", Ok(())),
            ("", Err(Empty)),
            ("a.b", Err(Dot)),
            ("*", Err(Wildcard)),
            ("a>", Err(Wildcard)),
            ("a b", Err(Whitespace)),
            ("a\r\nPUB x 0", Err(Whitespace)),
            ("a\tb", Err(Whitespace)),
            ("a\0", Err(Control)),
            ("a\u{7f}", Err(Control)),
            ("café", Err(NotAscii)),
        ] {
            assert_eq!(legal_token(text), expected, "{text:?}");
        }
    }

    #[test]
    fn tokens_are_encoded_only_where_they_must_be() {
        for (text, expected) in [
            ("abc", "abc"),
            ("a.b", "a%2Eb"),
            ("50%", "50%25"),
            ("é", "%C3%A9"),
            ("a b>", "a%20b%3E"),
            ("", ""),
        ] {
            assert_eq!(encode_token(text), expected);
        }
    }

    #[test]
    fn subjects_that_are_not_ours_are_refused() {
        for good in ["auth.users.roles.assign", "stack.delete", "a", "_inbox.x", "a.$x", "_INBOXES.x"] {
            assert_eq!(check_subject(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a.*",
            "a.>",
            "$JS.API.x",
            "$SYS.x",
            "$KV.x",
            "_INBOX.x",
            "é",
            "a*b",
        ] {
            assert!(check_subject(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_error_of_a_pattern_is_told() {
        use PatternToken::*;
        let errors = check_pattern(&[Templated { prefix: "" }, Literal(""), Literal("*")]);
        assert_eq!(errors.len(), 3, "{errors:?}");
        for (prefix, good) in
            [("tenant-", true), ("$J", false), ("_IN", false), ("_INBOX", false), ("_", false), ("_x", true)]
        {
            assert_eq!(check_pattern(&[Templated { prefix }, Literal("x")]).is_empty(), good, "{prefix}");
        }
    }

    #[test]
    fn filters_cover_what_they_match() {
        for (filter, subject, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            (">", "a", true),
            (">", ">", true),
            ("a.*", "a.>", false),
            ("a.>", "a.*", true),
            ("a.>", "a.>", true),
            ("a.*.c", "a.*.c", true),
            ("a.b.c", "a.*.c", false),
            ("*.*", "a.*", true),
            ("a.b", "a.b.c", false),
        ] {
            assert_eq!(covers(filter, subject), expected, "{filter} covers {subject}");
        }
    }

    #[test]
    fn patterns_overlap_when_one_subject_matches_both() {
        for (a, b, expected) in [
            ("a.*", "*.b", true),
            ("a.*", "b.*", false),
            ("a.>", "a", false),
            ("a.>", "a.b", true),
            ("a.*.c", "a.b.>", true),
            ("a.b", "a.b.c", false),
            (">", "x.y", true),
        ] {
            assert_eq!((overlaps(a, b), overlaps(b, a)), (expected, expected), "{a} and {b}");
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        let token = prop_oneof![Just("a"), Just("b"), Just("*")];
        (proptest::collection::vec(token, 1..4), any::<bool>()).prop_map(|(mut tokens, rest)| {
            if rest {
                tokens.push(">");
            }
            tokens.join(".")
        })
    }

    proptest! {
        #[test]
        fn encoding_gives_legal_tokens_and_can_be_undone(text in "\\PC{1,20}|[\\x00-\\x7f]{1,20}") {
            let encoded = encode_token(&text);
            prop_assert_eq!(legal_token(&encoded), Ok(()));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, text);
        }

        #[test]
        fn covering_means_matching_every_subject(filter in pattern(), pattern in pattern(), subject in "[ab](\\.[ab]){0,5}") {
            if covers(&filter, &pattern) && covers(&pattern, &subject) {
                prop_assert!(covers(&filter, &subject));
            }
            if covers(&filter, &subject) && covers(&pattern, &subject) {
                prop_assert!(overlaps(&filter, &pattern));
            }
            if covers(&filter, &pattern) {
                prop_assert!(overlaps(&filter, &pattern));
            }
        }
    }
}
