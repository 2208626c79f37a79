//! A CEL program with the variables that it reads, and its evaluation for one request.
//!
//! CEL has no cost limit of its own. The walk at load time makes every loop linear in the data; what is read inside a
//! loop may still be copied for each element, so elements times bytes are bounded before a program runs.

use super::Position;
use super::error::{EvalError, ExpressionError, Place, Reason};
use super::functions::ENV;
use super::known::Known;
use super::path::{Key, Path, Root};
use super::scope::{Found, Scope};
use super::uses::{Read, walk};
use super::values::{self, CelValue};
use crate::json::Kind;
use cel::common::types::{CelBool, CelMap, CelMapKey, CelString};
use cel::common::value::Val;
use cel::{Context, ExecutionError, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Elements of a request's data times the bytes of text that a loop reads again for each of them. A CEL value can take
/// twenty times the bytes of its text.
const LOOP_BYTES: usize = 8 << 20;

pub(super) struct Program {
    program: cel::Program,
    variables: Vec<Variable>,
    /// Every path that is read, for naming what is missing.
    reads: Vec<Path>,
    /// Read inside a loop, hence once for each element.
    repeated: Vec<Path>,
    /// Gone over by a loop whose elements an inner loop reads again.
    ranged: Vec<Path>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

struct Variable {
    root: Root,
    /// The members that are read; `None` for all of them.
    members: Option<Vec<String>>,
}

impl Program {
    /// Whether it reads a variable.
    pub(super) fn reads(&self, variable: &str) -> bool {
        self.variables.iter().any(|read| read.root.name() == variable)
    }

    pub(super) fn compile(
        source: &str,
        position: Position,
        known: &Known<'_>,
    ) -> Result<Self, Vec<ExpressionError>> {
        let program = ENV.compile(source).map_err(|errors| syntax(source, &errors))?;
        let mut uses = walk(&program, position);
        for read in &uses.reads {
            let guarded = |count| uses.tested.contains(&(read.path.root, read.path.pointer(count)));
            if let Some(fault) = known.check(&read.path, position, &guarded) {
                uses.errors.push(ExpressionError::new(fault.message, fault.help, read.offset));
            }
        }
        if !uses.errors.is_empty() {
            uses.errors.sort_by_key(|error| error.offset);
            uses.errors.dedup();
            return Err(uses.errors);
        }
        let paths = |wanted: &dyn Fn(&Read) -> bool| -> Vec<Path> {
            uses.reads.iter().filter(|read| wanted(read)).map(|read| read.path.clone()).collect()
        };
        Ok(Self {
            variables: variables(&uses.reads),
            repeated: paths(&|read| read.in_loop),
            ranged: paths(&|read| uses.outer_element && !read.in_loop),
            reads: paths(&|_| true),
            program,
        })
    }

    /// Evaluates the program and hands its value to `with`, which says what is wrong with it.
    pub(super) fn evaluate<T>(
        &self,
        source: &Arc<str>,
        scope: &Scope<'_>,
        with: impl FnOnce(&(dyn Val + '_)) -> Result<T, Reason>,
    ) -> Result<T, EvalError> {
        let failed = |(place, reason)| EvalError { expression: Arc::clone(source), place, reason };
        let context = self.context(scope).map_err(|reason| failed((self.blame(), reason)))?;
        let value = Value::resolve_val(self.program.expression(), &context)
            .map_err(|error| failed(self.explain(&error)))?;
        with(value.as_ref()).map_err(|reason| failed((self.blame(), reason)))
    }

    fn context<'a>(&self, scope: &Scope<'a>) -> Result<Context<'a, 'a>, Reason> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        let mut elements = 0;
        for variable in &self.variables {
            // A variable that is not there fails only where the program comes to read it.
            if let Some(value) = variable.value(scope, &mut elements) {
                context.add_variable_as_val(variable.root.name(), value);
            }
        }
        let repeated: usize = self.repeated.iter().map(|path| size(scope, path)).sum();
        let ranged = self.ranged.iter().map(|path| largest_element(scope, path)).max().unwrap_or(0);
        if elements.saturating_mul(repeated + ranged) > LOOP_BYTES {
            return Err(Reason::TooCostly);
        }
        Ok(context)
    }

    /// The part of the request or reply that a failure is most likely about.
    pub(super) fn blame(&self) -> Place {
        let first = |roots: &[Root]| self.reads.iter().find(|path| roots.contains(&path.root));
        first(&[Root::Reply])
            .or_else(|| first(&[Root::Body]))
            .or_else(|| first(&[Root::Path, Root::Query, Root::Header, Root::Cookie]))
            .or_else(|| first(&[Root::Claims, Root::Caller]))
            .map_or(Place::Expression, |path| Place::of(path, path.steps.len()))
    }

    /// Says what failed in words of our own: the messages of the evaluator quote values.
    fn explain(&self, error: &ExecutionError) -> (Place, Reason) {
        let what = match error {
            ExecutionError::NoSuchKey(name) => {
                if let Some((path, count)) = self.reads.iter().find_map(|path| names(path, name)) {
                    return (Place::of(path, count), Reason::Missing);
                }
                "a member that it reads is missing".to_owned()
            }
            ExecutionError::UndeclaredReference(name) => {
                if let Some(path) = self.reads.iter().find(|path| path.root.name() == name.as_str()) {
                    return (Place::of(path, 0), Reason::Missing);
                }
                "a variable is missing".to_owned()
            }
            ExecutionError::NoSuchOverload(overload) => overload.to_string(),
            ExecutionError::FunctionError { function, .. } => format!("{function}() failed"),
            ExecutionError::IndexOutOfBounds(_) => "an index is out of bounds".to_owned(),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                "division by zero".to_owned()
            }
            ExecutionError::Overflow(..) => "a number overflows".to_owned(),
            ExecutionError::DuplicateKey(_) => "a map names one key twice".to_owned(),
            _ => "a value has the wrong type".to_owned(),
        };
        (self.blame(), Reason::Failed(what))
    }
}

impl Variable {
    fn value<'a>(&self, scope: &Scope<'a>, elements: &mut usize) -> Option<CelValue<'a>> {
        let document = match self.root {
            Root::Status => return Some(values::number(u64::from(scope.reply?.status))),
            Root::Reply => Some(scope.reply?.document?.root()),
            // No body has no members; `has(body.x)` shall say so rather than fail.
            Root::Body => scope.body.map(|body| body.root()),
            Root::Claims => scope.claims().map(|claims| claims.root()),
            _ => None,
        };
        match (document, &self.members) {
            (Some(json), None) => Some(values::read(json, elements)),
            (Some(json), Some(_)) if json.kind() != Kind::Object => Some(values::read(json, elements)),
            (Some(json), Some(names)) => Some(map(
                names.iter().map(|name| (name.clone(), json.member(name).map(Found::Json))),
                elements,
            )),
            (None, Some(names)) => {
                Some(map(names.iter().map(|name| (name.clone(), scope.member(self.root, name))), elements))
            }
            (None, None) => Some(map(self.all(scope), elements)),
        }
    }

    fn all<'a>(&self, scope: &Scope<'a>) -> impl Iterator<Item = (String, Option<Found<'a>>)> {
        let parameters: &'a [_] = match self.root {
            Root::Path => scope.path,
            Root::Query => scope.query,
            _ => &[],
        };
        let fixed = self.root.fixed_members().unwrap_or_default();
        let (root, scope) = (self.root, *scope);
        let parameters =
            parameters.iter().map(|parameter| (parameter.name.to_string(), Some((&parameter.value).into())));
        parameters.chain(fixed.iter().map(move |name| ((*name).to_owned(), scope.member(root, name))))
    }
}

fn map<'a>(members: impl Iterator<Item = (String, Option<Found<'a>>)>, elements: &mut usize) -> CelValue<'a> {
    let mut values: HashMap<CelMapKey<'a>, CelValue<'a>> = HashMap::new();
    for (name, found) in members {
        let Some(found) = found else { continue };
        *elements += 1;
        let value: CelValue<'a> = match found {
            Found::Text(text) => Box::new(CelString::from(text)),
            Found::Json(json) => values::read(json, elements),
            Found::Bool(value) => Box::new(CelBool::from(value)),
            Found::Number(value) => values::number(value),
        };
        values.insert(CelMapKey::from(name), value);
    }
    Box::new(CelMap::from(values))
}

fn variables(reads: &[Read]) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    for read in reads {
        let root = read.path.root;
        let at = variables.iter().position(|variable| variable.root == root).unwrap_or_else(|| {
            variables.push(Variable { root, members: Some(Vec::new()) });
            variables.len() - 1
        });
        let Some(variable) = variables.get_mut(at) else { continue };
        match (read.path.steps.first().map(|step| &step.key), &mut variable.members) {
            (Some(Key::Name(name)), Some(members)) if !members.contains(name) => members.push(name.clone()),
            (Some(Key::Name(_)), _) => {}
            (Some(Key::Index(_)) | None, members) => *members = None,
        }
    }
    variables
}

fn size(scope: &Scope<'_>, path: &Path) -> usize {
    match scope.find(path) {
        Ok(Some(Found::Text(text))) => text.len(),
        Ok(Some(Found::Json(json))) => json.raw().len(),
        _ => 0,
    }
}

fn largest_element(scope: &Scope<'_>, path: &Path) -> usize {
    match scope.find(path) {
        Ok(Some(Found::Json(json))) if json.kind() == Kind::Array => {
            json.items().map(|item| item.raw().len()).max().unwrap_or(0)
        }
        _ => size(scope, path),
    }
}

fn names<'p>(path: &'p Path, name: &str) -> Option<(&'p Path, usize)> {
    let at = path.steps.iter().position(|step| matches!(&step.key, Key::Name(key) if key == name))?;
    Some((path, at + 1))
}

fn syntax(source: &str, errors: &cel::ParseErrors) -> Vec<ExpressionError> {
    let of = |error: &cel::ParseError| {
        let (line, column) = error.pos;
        let start: usize = source
            .split_inclusive('\n')
            .take(usize::try_from(line).unwrap_or_default().saturating_sub(1))
            .map(str::len)
            .sum();
        let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
        let rest = source.get(start..).unwrap_or_default();
        let offset = start + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset);
        let single =
            source.get(offset..).is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=="));
        let help = match single {
            true => "compare with `==`",
            false => {
                "write a plain path like `body.id`, or a CEL expression like `body.?name.orValue(\"x\")`"
            }
        };
        ExpressionError::new(
            format!("the expression does not parse: {}", complaint(&error.msg)),
            help,
            offset,
        )
    };
    // One slip makes the parser complain several times; the first complaint is the useful one.
    errors.errors.first().map(of).into_iter().collect()
}

/// What the parser generator complains about, in words for people: what it did not expect.
fn complaint(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default().trim_start_matches("Syntax error: ");
    let expected = message.find(" expecting ").unwrap_or(message.len());
    let (message, expecting) = message.split_at_checked(expected).unwrap_or((message, ""));
    let quoted = |text: &str| text.trim().trim_matches('\'').trim().to_owned();
    for start in [
        "mismatched input ",
        "extraneous input ",
        "no viable alternative at input ",
        "token recognition error at: ",
    ] {
        let Some(found) = message.strip_prefix(start).map(quoted) else { continue };
        let what =
            if found == "<EOF>" { "it ends too soon".to_owned() } else { format!("unexpected `{found}`") };
        let wanted =
            expecting.strip_prefix(" expecting ").filter(|wanted| !wanted.starts_with('{')).map(quoted);
        return match wanted.as_deref() {
            None => what,
            Some("<EOF>") => format!("{what} behind its end"),
            Some(wanted) => format!("{what}, `{wanted}` is missing"),
        };
    }
    message.to_owned()
}
