//! Finds the placeholders in a text. Knows of CEL only what it takes to find the closing brace: strings, comments and
//! nested braces.

use crate::expression::ExpressionError;

pub(super) enum Piece<'t> {
    /// Text with its escapes undone.
    Literal(String),
    /// What stands between `${` and `}`, and where that starts, in bytes.
    Placeholder { source: &'t str, offset: usize },
}

pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, ExpressionError> {
    let (mut pieces, mut literal, mut at) = (Vec::new(), String::new(), 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("$${") {
            literal.push_str("${");
            at += 3;
        } else if let Some(inner) = rest.strip_prefix("${") {
            let end = end_of_expression(inner).ok_or_else(|| unterminated(at))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            let source = inner.get(..end).unwrap_or_default();
            pieces.push(Piece::Placeholder { source, offset: at + 2 });
            at += 2 + end + 1;
        } else {
            let next =
                rest.char_indices().skip(1).find(|(_, c)| *c == '$').map_or(rest.len(), |(index, _)| index);
            literal.push_str(rest.get(..next).unwrap_or_default());
            at += next;
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn unterminated(offset: usize) -> ExpressionError {
    let help =
        "close it with `}`, or write `$${` for a literal `${`; quote the whole text in YAML's flow style";
    ExpressionError::new("the placeholder is not closed", help, offset)
}

/// Where the brace stands that closes the placeholder.
fn end_of_expression(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'{' => depth += 1,
            b'"' | b'\'' => {
                at = end_of_string(bytes, at)?;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the string that opens at `start` is over. CEL has raw strings (`r"\"`) and triple quotes.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = *bytes.get(start)?;
    let raw = is_raw(bytes.get(..start)?);
    let triple = bytes.get(start..start + 3) == Some(&[quote; 3]);
    let length = if triple { 3 } else { 1 };
    let mut at = start + length;
    loop {
        match bytes.get(at)? {
            b'\\' if !raw => at += 2,
            _ if bytes.get(at..at + length)?.iter().all(|byte| *byte == quote) => return Some(at + length),
            _ => at += 1,
        }
    }
}

/// Whether what stands before a quote makes the string raw: an `r`, perhaps with a `b`, that ends no longer name.
fn is_raw(before: &[u8]) -> bool {
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let prefix = before.get(before.len() - word..).unwrap_or_default().to_ascii_lowercase();
    matches!(prefix.as_slice(), b"r" | b"rb" | b"br")
}
