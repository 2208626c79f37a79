//! The parts of a token (RFC 7515, compact form), before anything of it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, IgnoredAny};

use crate::authenticate::failure::Failure;

/// The longest name of a key, in bytes.
const LONGEST_ID: usize = 256;

const MALFORMED: Failure = Failure::Invalid("the token is malformed");

/// A token, taken apart.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// What it says that it is signed by.
    pub(super) algorithm: String,
    /// The name of its key.
    pub(super) key_id: Option<String>,
    /// What is signed: header and claims, still encoded.
    pub(super) message: &'t str,
    /// The claims, still encoded.
    pub(super) payload: &'t str,
    /// The signature, still encoded.
    pub(super) signature: &'t str,
}

/// What matters of a header. Members by which a token brings its own key (`jwk`, `jku`, `x5u`, `x5c`) are not read.
#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl<'t> Token<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Token<'t>, Failure> {
        let (message, signature) = text.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, payload) = message.split_once('.').ok_or(MALFORMED)?;
        if payload.contains('.') {
            return Err(MALFORMED);
        }
        let Header { alg, kid, crit } = serde_json::from_slice(&decode(header)?).map_err(|_| MALFORMED)?;
        if crit {
            return Err(Failure::Invalid("the token needs an extension that is not supported"));
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_ID) {
            return Err(Failure::Invalid("the name of the token's key is too long"));
        }
        Ok(Token { algorithm: alg, key_id: kid, message, payload, signature })
    }
}

/// Decodes a part.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, Failure> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn only_what_is_needed_of_a_header_is_read() {
        let text = token(r#"{"alg":"RS256","kid":"a","jwk":{"kty":"oct"},"x5u":"https://evil","typ":1}"#);
        let parsed = Token::parse(&text).unwrap();
        assert_eq!((parsed.algorithm.as_str(), parsed.key_id.as_deref()), ("RS256", Some("a")));
        assert_eq!((parsed.payload, parsed.signature), ("e30", "AA"));
        for header in [
            "",
            "{}",
            "[]",
            "\"RS256\"",
            r#"{"alg":1}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","kid":{"a":1}}"#,
            r#"{"alg":"RS256","alg":"none"}"#,
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"{"alg":"RS256"} "#.trim_end_matches(['}', ' ']),
            &format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(LONGEST_ID + 1)),
            &format!(r#"{{"alg":"RS256","x":{}}}"#, "[".repeat(5_000)),
        ] {
            assert!(matches!(Token::parse(&token(header)), Err(Failure::Invalid(_))), "{header}");
        }
        for text in ["", ".", "..", "a.b", "e30.e30.e30.e30", "e30=.e30.AA", "e30 .e30.AA", "é.e30.AA"] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_refused(text in ".{0,200}", header in any::<Vec<u8>>()) {
            let _ = Token::parse(&text);
            let _ = Token::parse(&format!("{}.{text}.", URL_SAFE_NO_PAD.encode(header)));
        }
    }
}
