//! The shapes in a CEL tree that the walk recognises: a variable with the members taken from it, and free names.

use super::super::path::{Key, Step};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use std::collections::HashSet;

/// A name and the members taken from it.
pub(super) struct Chain<'e> {
    pub(super) name: &'e str,
    pub(super) steps: Vec<Step>,
    /// After `x[expression]` nothing is known of the steps that follow.
    pub(super) open: bool,
    /// The parts that are expressions themselves.
    pub(super) others: Vec<&'e IdedExpr>,
}

/// The node that stands first in the source.
pub(super) fn leftmost(mut node: &IdedExpr) -> &IdedExpr {
    loop {
        node = match &node.expr {
            Expr::Select(select) => &select.operand,
            Expr::Call(call) if is_step(call) => match call.args.first() {
                Some(first) => first,
                None => return node,
            },
            _ => return node,
        };
    }
}

fn is_step(call: &CallExpr) -> bool {
    matches!(call.func_name.as_str(), operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT)
}

pub(super) fn is_operator(name: &str) -> bool {
    name.starts_with('@') || name.starts_with('!') || name.starts_with('-') || name.starts_with('_')
}

pub(super) fn is_test(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Select(select) if select.test)
}

pub(super) fn chain(node: &IdedExpr) -> Option<Chain<'_>> {
    match &node.expr {
        Expr::Ident(name) => Some(Chain { name, steps: Vec::new(), open: false, others: Vec::new() }),
        Expr::Select(select) => {
            let mut chain = chain(&select.operand)?;
            chain.push(Key::Name(select.field.clone()), select.test);
            Some(chain)
        }
        Expr::Call(call) if is_step(call) => {
            let [holder, key] = call.args.as_slice() else { return None };
            let mut chain = chain(holder)?;
            match literal_key(key) {
                Some(key) => chain.push(key, call.func_name != operators::INDEX),
                None => {
                    chain.open = true;
                    chain.others.push(key);
                }
            }
            Some(chain)
        }
        _ => None,
    }
}

impl Chain<'_> {
    fn push(&mut self, key: Key, optional: bool) {
        if !self.open {
            self.steps.push(Step { key, optional });
        }
    }
}

fn literal_key(node: &IdedExpr) -> Option<Key> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(name)) => Some(Key::Name(name.inner().to_owned())),
        Expr::Literal(LiteralValue::Int(index)) => usize::try_from(*index.inner()).ok().map(Key::Index),
        _ => None,
    }
}

/// The names that an expression takes from outside itself.
pub(super) fn free_names<'e>(node: &'e IdedExpr, own: &mut HashSet<&'e str>, free: &mut HashSet<&'e str>) {
    match &node.expr {
        Expr::Ident(name) if !own.contains(name.as_str()) => {
            free.insert(name);
        }
        Expr::Select(select) => free_names(&select.operand, own, free),
        Expr::Call(call) => {
            let parts = call.target.as_deref().into_iter().chain(&call.args);
            parts.for_each(|part| free_names(part, own, free));
        }
        Expr::List(list) => list.elements.iter().for_each(|element| free_names(element, own, free)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    free_names(&entry.key, own, free);
                    free_names(&entry.value, own, free);
                }
            }
        }
        Expr::Comprehension(inner) => {
            free_names(&inner.iter_range, own, free);
            free_names(&inner.accu_init, own, free);
            let added: Vec<&str> = [&inner.iter_var, &inner.accu_var]
                .into_iter()
                .map(String::as_str)
                .filter(|name| own.insert(name))
                .collect();
            for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                free_names(part, own, free);
            }
            added.into_iter().for_each(|name| {
                own.remove(name);
            });
        }
        _ => {}
    }
}
