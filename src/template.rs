//! Texts with `${…}` in them. `$${` stands for a literal `${`.
//! This file holds what all templates share and the plain text ones (headers); subjects, payloads and message ids have
//! rules of their own beside it.

pub mod message_id;
pub mod path;
pub mod payload;
mod scan;
pub mod subject;

use crate::expression::{EvalError, Expression, ExpressionError, Known, Place, Position, Reason, Scope};
use scan::Piece;
use std::borrow::Cow;

/// A text with placeholders.
#[derive(Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(String),
    Expression(Expression),
}

impl Template {
    /// Compiles a text and every expression in it.
    ///
    /// # Errors
    /// Everything that is wrong; offsets count from the start of `text`.
    pub fn compile(text: &str, position: Position, known: &Known<'_>) -> Result<Self, Vec<ExpressionError>> {
        let (mut parts, mut errors) = (Vec::new(), Vec::new());
        for piece in scan::pieces(text).map_err(|error| vec![error])? {
            match piece {
                Piece::Literal(literal) => parts.push(Part::Literal(literal)),
                Piece::Placeholder { source, offset } => match Expression::compile(source, position, known) {
                    Ok(expression) => parts.push(Part::Expression(expression)),
                    Err(found) => errors.extend(found.into_iter().map(|error| error.shifted(offset))),
                },
            }
        }
        if errors.is_empty() { Ok(Self { parts }) } else { Err(errors) }
    }

    /// The text itself, if nothing in it depends on a request.
    #[must_use]
    pub fn is_constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether an expression in it reads a variable, such as `body`.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Expression(expression) if expression.reads(variable)))
    }

    /// Whether it may render nothing.
    #[must_use]
    pub(crate) fn may_be_absent(&self) -> bool {
        let may = |part: &Part| match part {
            Part::Literal(_) => false,
            Part::Expression(expression) => expression.may_be_absent() || expression.is_computed(),
        };
        self.parts.iter().any(may)
    }

    /// The text for one request; `None` if an optional value in it is absent, and then what it was for is left out.
    pub fn render<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Cow<'a, str>>, EvalError> {
        if let [Part::Expression(expression)] = self.parts.as_slice() {
            return expression.text(scope);
        }
        if let Some(text) = self.is_constant() {
            return Ok(Some(Cow::Borrowed(text)));
        }
        let mut rendered = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => rendered.push_str(text),
                Part::Expression(expression) => match expression.text(scope)? {
                    Some(text) => rendered.push_str(&text),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(Cow::Owned(rendered)))
    }

    /// The expression, if the text is one whole placeholder and nothing else.
    fn into_whole(self) -> Result<Expression, Self> {
        let mut parts = self.parts;
        match (parts.pop(), parts.is_empty()) {
            (Some(Part::Expression(expression)), true) => Ok(expression),
            (last, _) => {
                parts.extend(last);
                Err(Self { parts })
            }
        }
    }

    /// Something in the text was absent, and there is nothing that it could be left out of.
    fn missing(&self) -> EvalError {
        let optional = self.expressions().find(|expression| expression.may_be_absent());
        optional.or_else(|| self.expressions().next()).map_or_else(
            || EvalError { expression: "".into(), place: Place::Expression, reason: Reason::Missing },
            |expression| expression.reject(Reason::Missing),
        )
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Expression(expression) => Some(expression),
        })
    }
}

/// Compiles the text of a condition (`when`), which is exactly one `${…}`.
pub fn condition(
    text: &str,
    position: Position,
    known: &Known<'_>,
) -> Result<Expression, Vec<ExpressionError>> {
    Template::compile(text.trim(), position, known)?.into_whole().map_err(|_| {
        let help =
            "write the whole condition inside one placeholder: `${reply.?success.orValue(false) != true}`";
        vec![ExpressionError::new("a condition is exactly one expression", help, 0)]
    })
}

/// Refuses optional values where nothing can be left out.
fn refuse_absent(template: &Template, what: &str) -> Option<ExpressionError> {
    let expression = template.expressions().find(|expression| expression.may_be_absent())?;
    let help = format!("give it a default: `${{{}.orValue(\"none\")}}`", expression.source());
    Some(ExpressionError::new(
        format!("`{}` may be absent, and {what} needs a value", expression.source()),
        help,
        0,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::fixture::{ANY, Fixture};

    fn render(text: &str) -> Option<String> {
        let fixture = Fixture::new();
        let template = Template::compile(text, Position::Reply, &ANY).unwrap();
        let scope = fixture.scope();
        template.render(&scope).unwrap().map(Cow::into_owned)
    }

    #[test]
    fn placeholders_are_filled() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$", "$"),
            ("a $ b { } $x", "a $ b { } $x"),
            ("$${path.id}", "${path.id}"),
            ("x$${y}${path.id}", "x${y}u-7"),
            ("${path.id}", "u-7"),
            ("Published for ${path.id}-${body.n}!", "Published for u-7-3!"),
            ("${ path.id }${path.id}", "u-7u-7"),
            ("${{\"a\": \"}\"}.a}", "}"),
            ("${'}' + \"${\"}", "}${"),
            ("${\"\\\"}\" + r\"\\\"}", "\"}\\"),
            ("${\"\"\"a\"}b\"\"\"}", "a\"}b"),
            ("${1 // }\n + 1}", "2"),
        ] {
            assert_eq!(render(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(render("a-${body.?x}-b"), None);
    }

    #[test]
    fn constants_are_known() {
        let constant = |text: &str| {
            Template::compile(text, Position::Request, &ANY).unwrap().is_constant().map(str::to_owned)
        };
        assert_eq!(constant("a$${b"), Some("a${b".to_owned()));
        assert_eq!(constant(""), Some(String::new()));
        assert_eq!(constant("${path.id}"), None);
    }

    #[test]
    fn all_errors_are_told_with_their_places() {
        let errors = Template::compile("é ${path.x} ${foo} ${ }", Position::Request, &ANY).err().unwrap();
        let places: Vec<_> = errors.iter().map(|error| error.offset).collect();
        assert_eq!(places, [5, 15, 23], "{errors:?}");
        for (text, offset) in [("a ${path.id", 2), ("${\"}", 0), ("${path.id} ${{}", 11)] {
            let errors = Template::compile(text, Position::Request, &ANY).err().unwrap();
            assert_eq!((errors.len(), errors[0].offset), (1, offset), "{text}: {errors:?}");
        }
    }

    #[test]
    fn conditions_are_one_expression() {
        let fixture = Fixture::new();
        let compiled =
            condition(" ${reply.?success.orValue(false) != true} ", Position::Reply, &ANY).unwrap();
        assert_eq!(compiled.bool(&fixture.scope()), Ok(false));
        for text in ["true", "", "${status} == 200", "${status}${status}"] {
            assert!(condition(text, Position::Reply, &ANY).is_err(), "{text}");
        }
    }
}
