//! The bodies of answers by media type: what a contract declares stays, what the gateway answers stands beside it.

use serde_json::{Map, Value, json};

/// A body that the gateway gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Body {
    /// Without parameters, in lower case.
    pub(super) media_type: String,
    pub(super) schema: Value,
    /// One of them, for readers.
    pub(super) example: Option<Value>,
    /// A contract that declares the media type knows better what it looks like: the author wrote it for these clients.
    pub(super) yields: bool,
}

/// Adds a body.
pub(super) fn add(content: &mut Map<String, Value>, body: &Body) {
    let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = content.iter_mut().find(|(name, _)| essence(name) == body.media_type);
    let Some((_, media)) = known else {
        let mut media = json!({ "schema": body.schema });
        if let (Some(example), Some(media)) = (&body.example, media.as_object_mut()) {
            media.insert("example".to_owned(), example.clone());
        }
        content.insert(body.media_type.clone(), media);
        return;
    };
    if body.yields {
        return;
    }
    let Some(media) = media.as_object_mut() else { return };
    let schema = match media.get("schema") {
        None => return,
        Some(schema) if *schema == body.schema => return,
        Some(schema) => json!({ "anyOf": [schema, body.schema] }),
    };
    media.insert("schema".to_owned(), schema);
}

/// Adds what another answer declares, which this one stands before.
pub(super) fn inherit(content: &mut Map<String, Value>, other: &Value) {
    for (name, media) in other.get("content").and_then(Value::as_object).into_iter().flatten() {
        let known = content.get_mut(name).and_then(Value::as_object_mut);
        match (known, media.get("schema")) {
            (None, _) => {
                content.insert(name.clone(), media.clone());
            }
            (Some(known), Some(other)) if known.get("schema").is_some_and(|schema| schema != other) => {
                let schema = json!({ "anyOf": [known.get("schema"), other] });
                known.insert("schema".to_owned(), schema);
            }
            _ => {}
        }
    }
}
