//! Walks a parsed CEL program: which variables and members it reads, what it calls, where it loops.
//! A program's cost is bounded here: a loop inside a loop may only go over the element of the loop around it.

mod chain;

use super::functions::{self, Demand};
use super::path::{Key, Path, Root, Step};
use super::{ExpressionError, Position, known::nearest};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators,
};
use chain::{Chain, chain, free_names, is_operator, is_test, leftmost};
use std::collections::HashSet;

/// One read of a variable.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) path: Path,
    /// In the body of a loop, hence evaluated once for each element.
    pub(super) in_loop: bool,
    pub(super) offset: usize,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) reads: Vec<Read>,
    /// The paths for which the program tests with `has(…)` or `"name" in …`.
    pub(super) tested: HashSet<(Root, String)>,
    pub(super) loops: bool,
    /// An inner loop reads the element of an outer one, once for each of its own elements.
    pub(super) outer_element: bool,
    pub(super) errors: Vec<ExpressionError>,
}

pub(super) fn walk(program: &cel::Program, position: Position) -> Uses {
    let mut walker =
        Walker { info: program.source_info(), position, bound: Vec::new(), uses: Uses::default() };
    walker.expr(program.expression());
    walker.uses
}

struct Walker<'e> {
    info: &'e SourceInfo,
    position: Position,
    bound: Vec<Bound<'e>>,
    uses: Uses,
}

struct Bound<'e> {
    name: &'e str,
    /// The element of a loop, and not only another name for a value.
    element: bool,
}

impl<'e> Walker<'e> {
    fn expr(&mut self, node: &'e IdedExpr) {
        if let Some(chain) = chain(node) {
            return self.chain(chain, node);
        }
        match &node.expr {
            Expr::Call(call) => self.call(call, node),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, node),
            Expr::List(list) => list.elements.iter().for_each(|element| self.expr(element)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.expr(&entry.key);
                        self.expr(&entry.value);
                    }
                }
            }
            Expr::Select(select) => self.expr(&select.operand),
            Expr::Struct(_) => {
                self.error(node, "there are no message types here", "write a map: `{\"name\": value}`");
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn chain(&mut self, chain: Chain<'e>, node: &'e IdedExpr) {
        chain.others.iter().for_each(|other| self.expr(other));
        if let Some(bound) = self.bound.iter().rev().find(|bound| bound.name == chain.name) {
            let innermost = self.bound.iter().rev().find(|bound| bound.element);
            let outer = bound.element && innermost.is_some_and(|innermost| innermost.name != bound.name);
            self.uses.outer_element |= outer;
            return;
        }
        let Some(root) = Root::named(chain.name) else {
            if !(chain.steps.is_empty() && functions::TYPES.contains(&chain.name)) {
                self.unknown(chain.name, node);
            }
            return;
        };
        if !root.available(self.position) {
            let (message, help) = unavailable(root, self.position);
            return self.error(node, message, help);
        }
        let path = Path { root, steps: chain.steps };
        if is_test(node) && !chain.open {
            self.uses.tested.insert((root, path.pointer(usize::MAX)));
        }
        self.read(path, node);
    }

    fn call(&mut self, call: &'e CallExpr, node: &'e IdedExpr) {
        if call.func_name == operators::IN && self.membership(call, node) {
            return;
        }
        let of_optional = matches!(call.target.as_deref(), Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == "optional");
        if of_optional {
            if !functions::OPTIONAL.contains(&call.func_name.as_str()) {
                let help = nearest(&call.func_name, functions::OPTIONAL.into_iter());
                self.error(node, format!("unknown function `optional.{}`", call.func_name), help);
            }
        } else {
            if let Some(target) = &call.target {
                self.expr(target);
            }
            if !is_operator(&call.func_name) {
                self.function(call, node);
            }
        }
        call.args.iter().for_each(|argument| self.expr(argument));
    }

    /// `"x" in body` tests for `body.x`. Returns whether nothing else has to be read: of a variable that holds only
    /// members, the one that is asked for is enough.
    fn membership(&mut self, call: &'e CallExpr, node: &'e IdedExpr) -> bool {
        let [IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }, holder] = call.args.as_slice()
        else {
            return false;
        };
        let Some(chain) = chain(holder).filter(|chain| !chain.open) else { return false };
        let Some(root) = Root::named(chain.name).filter(|root| root.available(self.position)) else {
            return false;
        };
        if self.bound.iter().any(|bound| bound.name == chain.name) {
            return false;
        }
        let mut path = Path { root, steps: chain.steps };
        path.steps.push(Step { key: Key::Name(name.inner().to_owned()), optional: true });
        self.uses.tested.insert((root, path.pointer(usize::MAX)));
        // A body may also be a list, over which a search in a loop has to be counted as a whole.
        let in_loop = self.bound.iter().any(|bound| bound.element);
        let enough = path.steps.len() == 1 && !(root.is_value() && in_loop);
        if enough {
            self.read(path, node);
        }
        enough
    }

    fn read(&mut self, path: Path, node: &'e IdedExpr) {
        let (in_loop, offset) = (self.bound.iter().any(|bound| bound.element), self.offset(node));
        self.uses.reads.push(Read { path, in_loop, offset });
    }

    fn function(&mut self, call: &'e CallExpr, node: &'e IdedExpr) {
        let name = &call.func_name;
        let literal = |argument: &IdedExpr| matches!(argument.expr, Expr::Literal(_));
        match functions::demand(name) {
            None => {
                let help = nearest(name, functions::names());
                self.error(node, format!("unknown function `{name}`"), help);
            }
            Some(Demand::Literals) if !call.args.iter().all(literal) => {
                self.error(
                    node,
                    format!("the arguments of `{name}` must be written out"),
                    "write literals here",
                );
            }
            Some(Demand::Pattern) => self.pattern(call, node),
            Some(Demand::Literals | Demand::Nothing) => {}
        }
    }

    fn pattern(&mut self, call: &'e CallExpr, node: &'e IdedExpr) {
        let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(pattern)), .. }) = call.args.last()
        else {
            return self.error(
                node,
                "the pattern of `matches` must be written out",
                "write a literal pattern",
            );
        };
        if self.bound.iter().any(|bound| bound.element) {
            let help = "use startsWith, endsWith, contains or ==, or leave this check to the service";
            return self.error(node, "`matches` inside a loop compiles its pattern for every element", help);
        }
        if let Err(reason) = regex_syntax_of(pattern.inner()) {
            self.error(
                node,
                format!("the pattern is not a regular expression: {reason}"),
                "correct the pattern",
            );
        }
    }

    fn comprehension(&mut self, loops: &'e ComprehensionExpr, node: &'e IdedExpr) {
        self.expr(&loops.iter_range);
        self.expr(&loops.accu_init);
        // `optMap` is a loop over nothing whose accumulator gives a value a name.
        let naming = matches!(&loops.iter_range.expr, Expr::List(list) if list.elements.is_empty());
        if !naming {
            self.uses.loops = true;
            self.check_nesting(loops, node);
        }
        let before = self.bound.len();
        self.bound.push(Bound { name: &loops.accu_var, element: false });
        if !naming {
            self.bound.push(Bound { name: &loops.iter_var, element: true });
        }
        for part in [&loops.loop_cond, &loops.loop_step, &loops.result] {
            self.expr(part);
        }
        self.bound.truncate(before);
    }

    fn check_nesting(&mut self, loops: &'e ComprehensionExpr, node: &'e IdedExpr) {
        let Some(innermost) = self.bound.iter().rev().find(|bound| bound.element) else { return };
        let mut own = HashSet::new();
        let mut free = HashSet::new();
        free_names(&loops.iter_range, &mut own, &mut free);
        if free.iter().any(|name| *name != innermost.name) {
            let help = format!(
                "go over a member of `{}`, the element of the loop around, or leave this work to the service",
                innermost.name
            );
            self.error(node, "a loop inside a loop goes over all data again for every element", help);
        }
    }

    fn unknown(&mut self, name: &str, node: &'e IdedExpr) {
        let hyphen = self.info.source.get(..self.offset(node)).is_some_and(|before| before.ends_with('-'));
        let help = if hyphen {
            "a name with a hyphen is written in brackets here: header[\"x-request-id\"], header[?\"x-request-id\"]"
                .to_owned()
        } else {
            let available = Root::ALL.into_iter().filter(|root| root.available(self.position));
            nearest(name, available.map(Root::name))
        };
        self.error(node, format!("unknown variable `{name}`"), help);
    }

    fn error(&mut self, node: &IdedExpr, message: impl Into<String>, help: impl Into<String>) {
        let offset = self.offset(node);
        self.uses.errors.push(ExpressionError::new(message, help, offset));
    }

    /// Where a node starts, in bytes; for `a.b` the parser tells where the dot is, so the start is that of its root.
    fn offset(&self, node: &IdedExpr) -> usize {
        let node = leftmost(node);
        let (start, _) = self.info.offset_for(node.id).unwrap_or_default();
        let offset = usize::try_from(start).unwrap_or_default();
        if self.info.source.is_char_boundary(offset) { offset } else { 0 }
    }
}

/// Why a variable cannot be read, and what to do.
pub(super) fn unavailable(root: Root, position: Position) -> (String, String) {
    let why = match (root, position) {
        (Root::Problem, _) => "only `problem` cases have it",
        (_, Position::Request) => "there is no reply yet when the message is built",
        (_, Position::Problem) => "a problem has no reply",
        (_, Position::Stored) => "a stream acknowledges a publish, and no service replies to it",
        (_, Position::Reply) => "a service replies to a request, and no stream acknowledges it",
    };
    let available: Vec<_> =
        Root::ALL.into_iter().filter(|root| root.available(position)).map(Root::name).collect();
    (
        format!("`{}` is not available here: {why}", root.name()),
        format!("use one of {}", available.join(", ")),
    )
}

/// Lets CEL itself compile the pattern, since what counts is whether CEL can.
fn regex_syntax_of(pattern: &str) -> Result<(), String> {
    use cel::common::types::CelString;
    let mut context = cel::Context::with_env(std::sync::Arc::clone(&functions::ENV));
    context.add_variable_as_val("pattern", Box::new(CelString::from(pattern)));
    let program = functions::ENV.compile("\"\".matches(pattern)").map_err(|error| error.to_string())?;
    match program.execute(&context) {
        Ok(_) => Ok(()),
        Err(cel::ExecutionError::FunctionError { message, .. }) => {
            Err(message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}
