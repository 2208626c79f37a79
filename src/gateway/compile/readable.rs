//! What expressions of an operation may read of its body.

use super::Target;
use crate::config::Validation;
use crate::contract::RequestBody;
use crate::expression::{KnownBody, Schema};
use crate::media_type::{MediaType, is_form, is_json};

/// What a contract says of a body.
pub(super) enum Body<'a> {
    Any,
    Schemas(Vec<Schema<'a>>),
    Unreadable(String),
}

impl<'a> Body<'a> {
    /// Of an operation. Without a contract nothing is known; a contract that is not enforced promises only what
    /// its media types have.
    pub(super) fn of(
        target: &Target<'a>,
        validation: Validation,
        resolve: &'a dyn Fn(&str) -> Option<&'a serde_json::Value>,
    ) -> Body<'a> {
        let Some((contract, operation)) = target.contract else { return Body::Any };
        let Some(body) = &operation.body else {
            return match validation {
                Validation::Enforce => Body::Unreadable(
                    "the contract declares no body for this operation, so it never has one: declare it, or read something else"
                        .to_owned(),
                ),
                Validation::Log | Validation::Off => Body::Any,
            };
        };
        if !may_be_read(body) {
            let names: Vec<&str> = body.media_types.iter().map(|one| one.name.as_str()).collect();
            let help = format!(
                "the contract declares {}, and only JSON and forms are read: without a payload, the body travels on as it came",
                names.join(", ")
            );
            return Body::Unreadable(help);
        }
        let read = body.media_types.iter().filter(|one| is_json(&one.name) || is_form(&one.name));
        let schemas = read.filter_map(|one| contract.schema_json(one.schema.as_ref()?));
        Body::Schemas(schemas.map(|schema| Schema { schema, resolve }).collect())
    }

    /// For the check of expressions.
    pub(super) fn known(&'a self) -> KnownBody<'a> {
        match self {
            Body::Any => KnownBody::Any,
            Body::Schemas(schemas) => KnownBody::Declared(schemas),
            Body::Unreadable(why) => KnownBody::Unreadable(why),
        }
    }
}

/// Whether a request can have a body that is read; a range of media types holds JSON too.
fn may_be_read(body: &RequestBody) -> bool {
    let read = |name: &str| {
        is_json(name)
            || is_form(name)
            || MediaType::parse(name).is_none_or(|range| range.openness() > 0 && !range.is_text())
    };
    body.media_types.is_empty() || body.media_types.iter().any(|one| read(&one.name))
}
