//! The reference of problems.

use crate::support::golden;

#[test]
fn the_reference_is_current() {
    golden::assert("docs/problems.md", &natsgate::problem::reference());
}
