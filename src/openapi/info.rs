//! What the document says of itself: what the contracts say of themselves, together.

use serde_json::{Map, Value, json};

use crate::contract::{About, Contract};

/// The document before its paths.
pub(super) fn head(contracts: &[&Contract]) -> Map<String, Value> {
    let abouts: Vec<About> = contracts.iter().map(|contract| About::of(contract)).collect();
    let mut document = Map::new();
    document.insert("openapi".to_owned(), json!("3.1.0"));
    document.insert("info".to_owned(), Value::Object(info(&abouts)));
    if let [About { dialect: Some(dialect), .. }] = abouts.as_slice() {
        document.insert("jsonSchemaDialect".to_owned(), json!(dialect));
    }
    // Wherever the gateway is reached; the addresses in the contracts are those of what it stands before.
    document.insert("servers".to_owned(), json!([{ "url": "/" }]));
    let tags = tags(&abouts);
    if !tags.is_empty() {
        document.insert("tags".to_owned(), Value::Array(tags));
    }
    if let [About { external_docs: Some(docs), .. }] = abouts.as_slice() {
        document.insert("externalDocs".to_owned(), docs.clone());
    }
    document
}

/// Of one contract its own; of several, all of their titles, versions and descriptions.
fn info(abouts: &[About]) -> Map<String, Value> {
    let text = |about: &About, key: &str| about.info.get(key).and_then(Value::as_str).map(str::to_owned);
    let title = |about: &About| text(about, "title").unwrap_or_else(|| "HTTP API".to_owned());
    let version = |about: &About| text(about, "version").unwrap_or_else(|| "1.0.0".to_owned());
    if let [about] = abouts {
        let mut info = about.info.clone();
        info.insert("title".to_owned(), json!(title(about)));
        info.insert("version".to_owned(), json!(version(about)));
        return info;
    }
    let all = |part: &dyn Fn(&About) -> String| {
        let mut parts: Vec<String> = Vec::new();
        for part in abouts.iter().map(part) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join(", ")
    };
    let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
    let mut info = Map::new();
    info.insert("title".to_owned(), json!(or(all(&title), "HTTP API")));
    info.insert("version".to_owned(), json!(or(all(&version), "1.0.0")));
    let described = abouts.iter().filter_map(|about| {
        Some(format!("## {} {}\n\n{}", title(about), version(about), text(about, "description")?.trim()))
    });
    let mut described: Vec<String> = described.collect();
    // A contract may stand there twice, under two paths.
    described.dedup();
    if !described.is_empty() {
        info.insert("description".to_owned(), json!(described.join("\n\n")));
    }
    info
}

/// Each name once; the first contract describes it.
fn tags(abouts: &[About]) -> Vec<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for tag in abouts
        .iter()
        .flat_map(|about| &about.tags)
        .filter(|tag| tag.get("name").is_some_and(Value::is_string))
    {
        if !tags.iter().any(|known| known.get("name") == tag.get("name")) {
            tags.push(tag.clone());
        }
    }
    tags
}
