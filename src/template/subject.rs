//! Subjects with placeholders. Whatever a caller sends, what comes out has the tokens that the author wrote, each legal.

use super::{Part, Template, refuse_absent};
use crate::expression::{EvalError, ExpressionError, Known, Position, Reason, Scope};
use crate::subject::{PatternToken, SubjectError, check_pattern, legal_token};
use async_nats::Subject;

/// The template of a subject.
#[derive(Debug)]
pub struct SubjectTemplate {
    /// The subject with a `*` for every token that depends on the request.
    pattern: String,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// Cloning it counts a reference.
    Constant(Subject),
    Filled(Template),
}

impl SubjectTemplate {
    /// Compiles a subject.
    ///
    /// # Errors
    /// Everything that is wrong: expressions, illegal or missing tokens, wildcards, a start that callers could choose,
    /// the server's own name spaces.
    pub fn compile(text: &str, known: &Known<'_>) -> Result<Self, Vec<ExpressionError>> {
        let template = Template::compile(text, Position::Request, known)?;
        let tokens = tokens(&template);
        let views: Vec<_> = tokens.iter().map(Token::view).collect();
        let mut errors: Vec<_> =
            check_pattern(&views).iter().map(|error| subject_error(error, text)).collect();
        errors.extend(refuse_absent(&template, "a subject"));
        if !errors.is_empty() {
            return Err(errors);
        }
        let pattern: Vec<_> =
            tokens.iter().map(|token| if token.filled { "*" } else { &token.literal }).collect();
        let pattern = pattern.join(".");
        let form = match template.is_constant() {
            Some(subject) => Form::Constant(Subject::from(subject)),
            None => Form::Filled(template),
        };
        Ok(Self { pattern, form })
    }

    /// Whether an expression in it reads a variable, such as `body`.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        matches!(&self.form, Form::Filled(template) if template.reads(variable))
    }

    /// The path parameters that stand in it as they came, so that each has to be one legal token.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        let parts = match &self.form {
            Form::Constant(_) => &[],
            Form::Filled(template) => template.parts.as_slice(),
        };
        parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => expression.path_parameter(),
            Part::Literal(_) => None,
        })
    }

    /// The subject with a `*` for every token that depends on the request, for checks against streams.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The subject for one request.
    ///
    /// # Errors
    /// [`Reason::NotToken`] if a placeholder or the token around it would not be one legal token.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Subject, EvalError> {
        let template = match &self.form {
            Form::Constant(subject) => return Ok(subject.clone()),
            Form::Filled(template) => template,
        };
        let mut subject = String::with_capacity(self.pattern.len() + 32);
        for part in &template.parts {
            match part {
                Part::Literal(text) => subject.push_str(text),
                Part::Expression(expression) => {
                    let text = expression.text(scope)?.ok_or_else(|| expression.reject(Reason::Missing))?;
                    // Every placeholder is checked by itself, so that the one to blame is known and can bring no dot.
                    // That it is not empty also makes the token around it legal, whose literal parts are.
                    legal_token(&text).map_err(|reason| expression.reject(Reason::NotToken(reason)))?;
                    subject.push_str(&text);
                }
            }
        }
        Ok(Subject::from(subject))
    }
}

/// One token as written: the literal text of it, cut at its first placeholder for the check of the start.
#[derive(Default)]
struct Token {
    literal: String,
    prefix: usize,
    filled: bool,
}

impl Token {
    fn view(&self) -> PatternToken<'_> {
        if self.filled {
            let (prefix, rest) = self.literal.split_at_checked(self.prefix).unwrap_or((&self.literal, ""));
            // What is written around a placeholder has to be legal as well.
            let illegal =
                [prefix, rest].into_iter().find(|text| !text.is_empty() && legal_token(text).is_err());
            illegal.map_or(PatternToken::Templated { prefix }, PatternToken::Literal)
        } else {
            PatternToken::Literal(&self.literal)
        }
    }
}

fn tokens(template: &Template) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut token = Token::default();
    for part in &template.parts {
        match part {
            Part::Expression(_) => {
                if !token.filled {
                    (token.prefix, token.filled) = (token.literal.len(), true);
                }
            }
            Part::Literal(text) => {
                for (piece, index) in text.split('.').zip(0..) {
                    if index > 0 {
                        tokens.push(std::mem::take(&mut token));
                    }
                    token.literal.push_str(piece);
                }
            }
        }
    }
    tokens.push(token);
    tokens
}

fn subject_error(error: &SubjectError, text: &str) -> ExpressionError {
    let offset = match error {
        SubjectError::Token { position, .. } => start_of(*position, text),
        SubjectError::StartsWithParameter | SubjectError::Reserved { .. } => 0,
    };
    ExpressionError::new(error.to_string(), error.help(), offset)
}

/// Where a token starts, counted from 1: behind a dot that stands in no placeholder.
fn start_of(position: usize, text: &str) -> usize {
    let inside: Vec<_> = super::scan::pieces(text)
        .into_iter()
        .flatten()
        .filter_map(|piece| match piece {
            super::scan::Piece::Placeholder { source, offset } => Some(offset..offset + source.len()),
            super::scan::Piece::Literal(_) => None,
        })
        .collect();
    let dots =
        text.match_indices('.').map(|(at, _)| at).filter(|at| !inside.iter().any(|range| range.contains(at)));
    std::iter::once(0).chain(dots.map(|at| at + 1)).nth(position.saturating_sub(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::fixture::{ANY, Fixture, text};
    use crate::expression::{Location, Place};
    use crate::subject::IllegalToken;
    use proptest::prelude::*;

    fn compile(text: &str) -> Result<SubjectTemplate, Vec<ExpressionError>> {
        SubjectTemplate::compile(text, &ANY)
    }

    #[test]
    fn subjects_are_rendered() {
        let fixture = Fixture::new();
        for (text, pattern, subject) in [
            ("stack.delete", "stack.delete", "stack.delete"),
            ("stack.${path.id}.delete", "stack.*.delete", "stack.u-7.delete"),
            ("stack.pre-${path.id}-${body.n}", "stack.*", "stack.pre-u-7-3"),
            ("mail.${token(path.email)}", "mail.*", "mail.a%2Eb@c%20d"),
            ("tenant-${path.id}.x", "*.x", "tenant-u-7.x"),
            ("a.${body.?x.orValue(\"none\")}", "a.*", "a.none"),
            ("a.${request.method.lowerAscii()}", "a.*", "a.post"),
        ] {
            let template = compile(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            assert_eq!(template.pattern(), pattern);
            assert_eq!(template.render(&fixture.scope()).unwrap().as_str(), subject);
        }
    }

    #[test]
    fn wrong_subjects_are_refused() {
        for (text, count) in [
            ("", 1),
            ("a..b", 1),
            (".a", 1),
            ("a.*", 1),
            ("a.>", 1),
            ("a b", 1),
            ("a.x*${path.id}", 1),
            ("a.${path.id}é", 1),
            ("${path.id}.a", 1),
            ("$JS.API.${path.id}", 1),
            ("$${path.id}.a", 1),
            ("$SYS.x", 1),
            ("_INBOX.${path.id}", 1),
            ("_INB${path.id}.a", 1),
            ("a.${body.?x}", 1),
            ("a.${path.none}", 1),
            ("a.${reply.x}", 1),
            ("a.${body.?x}..*", 3),
        ] {
            let errors = compile(text).err().unwrap_or_default();
            assert_eq!(errors.len(), count, "{text}: {errors:?}");
        }
    }

    #[test]
    fn illegal_tokens_name_their_parameter() {
        let mut fixture = Fixture::new();
        let template = compile("stack.pre-${path.id}").unwrap();
        for (value, reason) in [
            ("a.b", IllegalToken::Dot),
            ("*", IllegalToken::Wildcard),
            (">", IllegalToken::Wildcard),
            ("", IllegalToken::Empty),
            (" ", IllegalToken::Whitespace),
            ("a\r\nPUB x 1", IllegalToken::Whitespace),
            ("a\0", IllegalToken::Control),
            ("é", IllegalToken::NotAscii),
        ] {
            fixture.path = vec![text("id", value)];
            let error = template.render(&fixture.scope()).unwrap_err();
            assert_eq!(error.place, Place::Parameter { location: Location::Path, name: "id".to_owned() });
            assert_eq!(error.reason, Reason::NotToken(reason), "{value:?}");
            assert!(
                error.to_string().starts_with("the path parameter \"id\" cannot be part of a subject: it ")
            );
        }
        fixture.path = vec![text("id", "")];
        let encoded = compile("a.${token(path.id)}").unwrap();
        assert!(encoded.render(&fixture.scope()).is_err(), "an empty token has no encoding");
    }

    #[test]
    fn a_constant_is_shared() {
        let fixture = Fixture::new();
        let template = compile("stack.delete").unwrap();
        let (first, second) =
            (template.render(&fixture.scope()).unwrap(), template.render(&fixture.scope()).unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr());
    }

    proptest! {
        #[test]
        fn no_value_changes_the_shape_of_a_subject(value in "\\PC{0,8}|[.*> a\\r\\n\\t]{0,4}", encode in any::<bool>()) {
            let mut fixture = Fixture::new();
            fixture.path = vec![text("id", &value)];
            let template = compile(if encode { "a.${token(path.id)}.b" } else { "a.${path.id}.b" }).unwrap();
            match template.render(&fixture.scope()) {
                Ok(subject) => {
                    prop_assert!(crate::subject::covers(template.pattern(), &subject));
                    prop_assert_eq!(crate::subject::check_subject(&subject), Ok(()));
                }
                Err(_) => prop_assert!(!encode || value.is_empty()),
            }
        }
    }
}
