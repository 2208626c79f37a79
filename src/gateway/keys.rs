//! The keys and users of verifiers, kept current whatever table is in place.

use std::sync::Arc;

use super::Gateway;
use crate::authenticate::Watching;

/// Watches the verifiers of the table that is in place, for ever.
pub async fn watch(gateway: Arc<Gateway>) {
    let mut generation = gateway.generation();
    let mut watching = Watching::default();
    loop {
        watching.follow(&gateway.table().verifiers);
        if generation.changed().await.is_err() {
            return;
        }
    }
}
