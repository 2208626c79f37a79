//! The schema as a page for people: `docs/configuration.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str =
    "<!-- Generated from the types in src/config; a test keeps it current (UPDATE_GOLDEN=1 rewrites it). -->

# Configuration

Every key of `natsgate.yaml`. Paths are relative to the file in which they stand. Keys that are not here are errors;
`natsgate check` names every problem of all files at once, each at its place, and
[natsgate.schema.json](../config/natsgate.schema.json) (`natsgate schema`) gives editors completion. How operations are
written is in [the guide](guide.md).

- A **duration** is a number with a unit, or several: `500ms`, `2s`, `1m30s`, `24h`, `7d`.
- A **size** is a number of bytes, or one with a unit: `64KiB`, `1MiB`, `10MB`.
- A **rate** is a number for each second, minute or hour: `100/s`, `10/m`.
- Where *or elsewhere* stands, the value may be taken from `{ env: NAME }` or `{ file: path }`: secrets need not be written
  here, and are never shown.
- **Required** keys have no default.

Keys of `server`, `nats`, `streams` and `telemetry` count from a start on. Everything else can be replaced while it serves:
a file that changes (`server.watch_files`), SIGHUP and the admin API all build the whole configuration anew and put it in
place as a whole, or not at all.
";

/// The page.
pub fn reference() -> String {
    let schema = super::schema();
    let mut page = Page { schema: &schema, text: HEAD.to_owned(), done: BTreeSet::new() };
    page.section("", "The file", &schema);
    page.text
}

struct Page<'a> {
    schema: &'a Value,
    text: String,
    /// What has a section already.
    done: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    /// A section for one kind of map, and then one for each kind that its keys hold.
    fn section(&mut self, path: &str, title: &str, object: &'a Value) {
        let level = if path.is_empty() { "##" } else { "###" };
        let _ = write!(self.text, "\n{level} {title}\n\n");
        if let Some(description) = object["description"].as_str().filter(|_| !path.is_empty()) {
            let _ = write!(self.text, "{description}\n\n");
        }
        self.text.push_str("| key | value | meaning |\n| --- | --- | --- |\n");
        let required: Vec<&str> =
            object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let keys = object["properties"].as_object();
        for (key, property) in keys.into_iter().flatten() {
            let is_required = required.contains(&key.as_str());
            let (value, meaning) = (self.value(property, is_required), self.meaning(property));
            let _ = writeln!(self.text, "| `{key}` | {value} | {meaning} |");
        }
        for (key, property) in keys.into_iter().flatten() {
            self.below(path, key, property);
        }
    }

    /// The section of what a key holds, if that is a map with keys of its own that has none yet.
    fn below(&mut self, path: &str, key: &str, property: &'a Value) {
        let (suffix, reference) = match (&property["items"], &property["additionalProperties"]) {
            (items, _) if items["$ref"].is_string() => ("[]", items),
            (_, values) if values["$ref"].is_string() => (".NAME", values),
            _ => ("", property),
        };
        let Some(name) = definition(reference) else { return };
        if !self.done.insert(name) {
            return;
        }
        let path = format!("{path}{}{key}{suffix}", if path.is_empty() { "" } else { "." });
        let schema = self.schema;
        self.section(&path, &format!("`{path}`"), &schema["$defs"][name]);
    }

    fn value(&self, property: &Value, is_required: bool) -> String {
        let mut text = kind(property);
        // Most descriptions name it, with more to say of it.
        let told = property["description"].as_str().is_some_and(|text| text.contains("Default: "));
        let default =
            property.get("default").filter(|default| !told && *default != &Value::Array(Vec::new()));
        if let Some(default) = default {
            let _ = write!(text, "; `{}`", plain(default));
        }
        if is_required {
            text.push_str("; **required**");
        }
        text
    }

    fn meaning(&self, property: &Value) -> String {
        let mut text = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        for choice in choices(property) {
            let (name, meaning) =
                (plain(&choice["const"]), choice["description"].as_str().unwrap_or_default());
            let _ = write!(text, "<br>`{name}`: {meaning}");
        }
        if let Some(example) = property["examples"].get(0) {
            let _ = write!(text, "<br>Such as `{}`.", plain(example));
        }
        text.replace('|', "\\|")
    }
}

/// The name of the definition that a schema refers to.
fn definition(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/").filter(|name| *name != "Elsewhere")
}

/// The words that a key may hold.
fn choices(property: &Value) -> impl Iterator<Item = &Value> {
    let inner = property["anyOf"].get(0).unwrap_or(property);
    inner["oneOf"].as_array().into_iter().flatten().filter(|choice| choice.get("const").is_some())
}

fn kind(schema: &Value) -> String {
    if definition(schema).is_some() {
        return "map".to_owned();
    }
    if let Some(first) = schema["anyOf"].get(0) {
        return format!("{}, or elsewhere", kind(first));
    }
    if schema["oneOf"].is_array() {
        return "one of its words".to_owned();
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return "any YAML".to_owned(),
    };
    match (kinds.as_slice(), schema["pattern"].as_str().unwrap_or_default()) {
        (["array"], _) => format!("list: {}", kind(&schema["items"])),
        (["object"], _) => format!("map of names to {}", kind(&schema["additionalProperties"])),
        (["integer"], _) => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!("number, {least} to {most}"),
            (Some(least), None) => format!("number, at least {least}"),
            _ => "number".to_owned(),
        },
        (["boolean"], _) => "true or false".to_owned(),
        (["string"], pattern) if pattern.contains("ms|s|m|h|d") => "duration".to_owned(),
        (["string"], pattern) if pattern.contains("(s|m|h)") => "rate".to_owned(),
        (_, pattern) if pattern.contains("KiB") => "size".to_owned(),
        _ => "text".to_owned(),
    }
}

/// A value as it is written in YAML.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
