//! What a component is called by where it stands: the same in every run, and legal.

/// Steps of a pointer that say nothing of what stands there.
const SILENT: [&str; 18] = [
    "allOf",
    "anyOf",
    "callbacks",
    "components",
    "content",
    "definitions",
    "$defs",
    "examples",
    "headers",
    "items",
    "links",
    "oneOf",
    "parameters",
    "paths",
    "properties",
    "responses",
    "schema",
    "schemas",
];

/// A name for what stands at a pointer of a file; `stem` is the file's own name.
pub(super) fn of(pointer: &str, stem: &str) -> String {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let named = match steps.as_slice() {
        // `#/components/schemas/User`, and `#/definitions/User` of files that are nothing but schemas.
        [components, _, name] if components == "components" => legal(name),
        [name] => legal(name),
        [definitions, name] if SILENT.contains(&definitions.as_str()) => legal(name),
        steps => {
            let telling = steps.iter().filter(|step| {
                !SILENT.contains(&step.as_str()) && !step.bytes().all(|byte| byte.is_ascii_digit())
            });
            let telling: Vec<String> =
                telling.map(|step| legal(step)).filter(|step| !step.is_empty()).collect();
            telling[telling.len().saturating_sub(3)..].join("_")
        }
    };
    [named, legal(stem)].into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "Part".to_owned())
}

/// What the keys of components may be made of.
fn legal(text: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let text: String = text.chars().map(|c| if legal(c) { c } else { '_' }).collect();
    text.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_say_what_stands_there() {
        for (pointer, name) in [
            ("/components/schemas/User", "User"),
            ("/components/schemas/Page«User»", "Page_User"),
            ("/definitions/User", "User"),
            ("/User", "User"),
            ("", "common"),
            ("/components/schemas/User/properties/home", "User_home"),
            (
                "/paths/~1users~1{id}/get/responses/200/content/application~1json/schema",
                "users__id_get_application_json",
            ),
            ("/components/schemas/__", "common"),
        ] {
            assert_eq!(super::of(pointer, "common"), name, "{pointer}");
        }
    }
}
