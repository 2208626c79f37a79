//! Where the docs page is, and an operation too.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::gateway::route::RouteTable;
use crate::openapi::Docs;
use crate::yaml::Located;

/// Tells which of the page's paths lead to operations. Those win, since their clients were there first.
pub(super) fn check<T>(at: Option<&Located<String>>, routes: &RouteTable<T>, diagnostics: &mut Diagnostics) {
    let Some(at) = at else { return };
    let hidden: Vec<String> =
        Docs::new(at, true).paths().filter(|path| routes.methods(path).is_some()).collect();
    if let Some(first) = hidden.first() {
        diagnostics.push(
            Diagnostic::warning(
                at.place,
                format!("`{first}` is the path of an operation, which answers there"),
            )
            .reason("what the contracts have always wins")
            .help("choose another path for the docs"),
        );
    }
}
