//! The stage that says who calls: credentials are found in the head of a request, and verified as the contract, or
//! the operation itself, demands it. What a caller may do beyond its scopes is a condition ([`Authorize`]).

mod access;
mod api_key;
mod authorize;
mod basic;
mod cache;
mod caller;
mod carrier;
mod compile;
mod entries;
mod failure;
mod file;
mod jwks;
mod jwt;
mod load;
pub mod made;
mod random;
mod state;
mod verifier;

use tokio::time::Instant;

pub use access::Access;
pub use authorize::Authorize;
pub use caller::{Caller, Identity, Scopes};
pub use compile::{Demanded, Registry};
pub use state::Entries;
pub use verifier::{Verifiers, Watching};

use crate::head::Head;
use crate::problem::Problem;

/// Says who sent a request. Waits, not longer than until the deadline, only for keys that are being fetched and for
/// passwords that are being checked.
///
/// # Errors
/// `unauthenticated`, `forbidden` where a scope is missing, `keys_unavailable`, `overloaded`.
pub async fn authenticate(access: &Access, head: &Head, deadline: Instant) -> Result<Caller, Problem> {
    access.check(head, deadline).await
}
