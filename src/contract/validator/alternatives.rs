//! `oneOf` and `anyOf` in words: which alternatives there are, and which of them the value comes nearest to.

use std::collections::HashMap;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::types::JsonTypeSet;

use super::sentence::{List, either, kinds, types};

/// What the alternatives of a schema are called, by the address of their keyword.
pub(super) type Names = HashMap<String, Vec<Option<String>>>;

type Branch = Vec<ValidationError<'static>>;

/// None of the alternatives holds. Where it is plain which was meant, what is wrong with that one is said.
pub(super) fn none(list: &mut List<'_>, error: &ValidationError<'_>, branches: &[Branch]) {
    let path = error.instance_path();
    let fitting: Vec<usize> = (0..branches.len())
        .filter(|at| branches.get(*at).is_some_and(|branch| wrong_type(error, branch).is_none()))
        .collect();
    if fitting.is_empty() {
        let wanted = branches.iter().filter_map(|branch| wrong_type(error, branch));
        let wanted =
            wanted.fold(JsonTypeSet::empty(), |all, some| some.into_iter().fold(all, JsonTypeSet::insert));
        return list.push(path.as_str(), format!("must be {}", kinds(wanted)));
    }
    let nearest = nearest(error, branches, &fitting);
    let (names, fits) = (names(list.names, error, &fitting), fitting.len() > 1);
    match nearest.and_then(|at| branches.get(at)) {
        Some(branch) => {
            if fits {
                list.push(path.as_str(), format!("matches none of the alternatives {}", either(&names)));
            }
            branch.iter().for_each(|error| list.add(error));
        }
        None => list.push(path.as_str(), format!("must match one of the alternatives {}", either(&names))),
    }
}

/// More than one of the alternatives holds.
pub(super) fn several(list: &mut List<'_>, error: &ValidationError<'_>, branches: &[Branch]) {
    let valid = branches.iter().enumerate().filter(|(_, branch)| branch.is_empty()).map(|(at, _)| at);
    let names = names(list.names, error, &valid.collect::<Vec<_>>());
    let detail = format!("must match one alternative only, and matches {}", names.join(" and "));
    list.push(error.instance_path().as_str(), detail);
}

/// The types that a branch wants, if the value is of another one.
fn wrong_type(error: &ValidationError<'_>, branch: &Branch) -> Option<JsonTypeSet> {
    branch.iter().filter(|inner| inner.instance_path() == error.instance_path()).find_map(|inner| match inner
        .kind()
    {
        Kind::Type { kind } => Some(types(kind)),
        _ => None,
    })
}

/// The one branch that the value comes nearest to: its tag is right, where there is one, and the least is wrong.
fn nearest(error: &ValidationError<'_>, branches: &[Branch], fitting: &[usize]) -> Option<usize> {
    if let [only] = fitting {
        return Some(*only);
    }
    let tags_differ = |branch: &Branch| branch.iter().any(|inner| is_tag(error, inner));
    let right: Vec<usize> = fitting
        .iter()
        .copied()
        .filter(|at| branches.get(*at).is_some_and(|branch| !tags_differ(branch)))
        .collect();
    let mut counted: Vec<(usize, usize)> =
        right.iter().filter_map(|at| Some((branches.get(*at)?.len(), *at))).collect();
    counted.sort_unstable();
    match counted.as_slice() {
        [(_, only)] => Some(*only),
        [(least, nearest), (next, _), ..] if least < next => Some(*nearest),
        _ => None,
    }
}

/// Whether a member of the value, whose text says which alternative it is, says another one.
fn is_tag(outer: &ValidationError<'_>, inner: &ValidationError<'_>) -> bool {
    let below = inner.instance_path().as_str().strip_prefix(outer.instance_path().as_str());
    let member = below.is_some_and(|below| below.matches('/').count() == 1);
    member && matches!(inner.kind(), Kind::Constant { .. } | Kind::Enum { .. })
}

fn names(names: &Names, error: &ValidationError<'_>, which: &[usize]) -> Vec<String> {
    let address = error.absolute_keyword_location().map(|uri| uri.as_str());
    let known = address.and_then(|address| names.get(address));
    let name = |at: usize| known.and_then(|known| known.get(at)?.clone());
    which.iter().map(|at| name(*at).unwrap_or_else(|| format!("no. {}", at + 1))).collect()
}
