//! What works of an operation and its callers, and probably not as it is meant.

use super::Target;
use crate::authenticate::Access;
use crate::config::{Binding, Defaults, Operation};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Occurrence;
use crate::translate::outbound::{IdSource, Mapping};

/// Looks at an operation that demands something, or could: there are verifiers.
pub(super) fn check(
    target: &Target<'_>,
    written: &Operation,
    defaults: &Defaults,
    (access, mapping): (&Access, &Mapping),
    diagnostics: &mut Diagnostics,
) {
    handed_on(written, defaults, access, diagnostics);
    one_key_space(target, access, mapping, diagnostics);
}

/// A header with the caller's key among those that travel.
fn handed_on(written: &Operation, defaults: &Defaults, access: &Access, diagnostics: &mut Diagnostics) {
    let own = match written.binding() {
        Some(Binding::Request(request)) => request.forward_headers.as_ref(),
        Some(Binding::Publish(publish)) => publish.forward_headers.as_ref(),
        None => None,
    };
    let names = own.unwrap_or(&defaults.forward_headers);
    for name in names.iter().filter(|name| access.is_sent_in(name)) {
        diagnostics.push(
            Diagnostic::warning(name.place, format!("`{}` hands the caller's key on", name.value))
                .reason("whoever sees the message can call in the caller's name, and a stream keeps it")
                .help("remove it, and set what the service needs to know: `headers: { X-User: \"${caller.name}\" }`"),
        );
    }
}

/// Callers who are nobody can take each other's messages for repetitions of their own.
fn one_key_space(target: &Target<'_>, access: &Access, mapping: &Mapping, diagnostics: &mut Diagnostics) {
    let by_caller =
        matches!(&mapping.storing, Some(storing) if matches!(storing.id, IdSource::Caller { .. }));
    if by_caller && access.caller() != Occurrence::Always {
        let name = &target.key;
        diagnostics.push(
            Diagnostic::warning(
                name.place,
                format!("callers of `{}` who are not known share their idempotency keys", name.value),
            )
            .reason("a message is not stored if somebody else has sent one under the same key")
            .help("demand to know the caller, name what is the same by `message_id`, or write `idempotency: off`"),
        );
    }
}
