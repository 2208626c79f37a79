//! Rust text → the paths in it that begin at the crate's root or at the module around.

/// Every such path, lists in braces taken apart: `crate::a::{self, b::C}` is `crate::a` and `crate::a::b::C`.
pub(super) fn paths(text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let begins = matches!(token.as_str(), "crate" | "self" | "super" | "natsgate");
        let inside = at > 0 && tokens[at - 1] == "::";
        let goes_on = tokens.get(at + 1).is_some_and(|next| next == "::");
        if begins && !inside && goes_on {
            read(&tokens, at, &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path, or a list of them, from a token on; says where it ended.
fn read(tokens: &[String], mut at: usize, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let before = path.len();
    while let Some(token) = tokens.get(at) {
        if token == "{" {
            at = list(tokens, at + 1, path, found);
            path.truncate(before);
            return at;
        }
        let names = token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !names {
            break;
        }
        if token != "self" || path.is_empty() {
            path.push(token.clone());
        }
        at += 1;
        if tokens.get(at).is_none_or(|next| next != "::") {
            break;
        }
        at += 1;
    }
    found.push(path.clone());
    path.truncate(before);
    at
}

fn list(tokens: &[String], mut at: usize, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    while let Some(token) = tokens.get(at) {
        at = match token.as_str() {
            "}" => return at + 1,
            "," | "*" | "as" | "_" => at + 1,
            _ => read(tokens, at, path, found).max(at + 1),
        };
    }
    at
}

/// Names and marks, without comments and without what stands in quotation marks.
fn tokens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let starts =
        |at: usize, with: &str| with.chars().enumerate().all(|(i, c)| characters.get(at + i) == Some(&c));
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        let next = match c {
            '/' if starts(at, "//") => until(&characters, at, "\n"),
            '/' if starts(at, "/*") => until(&characters, at + 2, "*/"),
            'r' if starts(at, "r\"") || starts(at, "r#\"") || starts(at, "r##\"") => raw(&characters, at + 1),
            '"' => quoted(&characters, at + 1, '"'),
            // A character, and not a lifetime.
            '\'' if starts(at + 1, "\\") || characters.get(at + 2) == Some(&'\'') => {
                quoted(&characters, at + 1, '\'')
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end =
                    characters[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count() + at;
                tokens.push(characters[at..end].iter().collect());
                end
            }
            ':' if starts(at, "::") => {
                tokens.push("::".to_owned());
                at + 2
            }
            c if c.is_whitespace() => at + 1,
            c => {
                tokens.push(c.to_string());
                at + 1
            }
        };
        at = next.max(at + 1);
    }
    tokens
}

/// Behind the next occurrence of `end`.
fn until(characters: &[char], from: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    let rest = characters.get(from..).unwrap_or_default();
    rest.windows(end.len())
        .position(|window| *window == end)
        .map_or(characters.len(), |at| from + at + end.len())
}

fn quoted(characters: &[char], mut at: usize, quote: char) -> usize {
    while let Some(&c) = characters.get(at) {
        at += if c == '\\' { 2 } else { 1 };
        if c == quote {
            break;
        }
    }
    at
}

/// From the first `#` or quotation mark of a raw string.
fn raw(characters: &[char], from: usize) -> usize {
    let hashes = characters[from..].iter().take_while(|c| **c == '#').count();
    until(characters, from + hashes + 1, &format!("\"{}", "#".repeat(hashes)))
}
