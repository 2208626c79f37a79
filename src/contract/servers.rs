//! `servers`: under which path of its host an API is. Hosts are not looked at: clients know their gateway's.

use std::collections::HashMap;

use url::Url;

use super::path::PathTemplate;
use crate::yaml::Node;

/// The path of the first server, `/api/v3` say; `None` if it has none, or nobody can tell.
pub(super) fn base_path(root: &Node) -> Option<String> {
    let server = root.get("servers")?.items().first()?;
    let url = filled(server.get("url")?.as_str()?, server)?;
    let path = match url.starts_with('/') && !url.starts_with("//") {
        true => url,
        false => {
            let absolute = if url.starts_with("//") { format!("http:{url}") } else { url };
            Url::parse(&absolute).ok()?.path().to_owned()
        }
    };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let path = format!("/{path}");
    let plain = PathTemplate::parse(&path).is_ok_and(|template| template.names().is_empty());
    (path != "/" && plain && !path.contains(char::is_whitespace)).then_some(path)
}

/// A URL with the default of each of its variables.
fn filled(template: &str, server: &Node) -> Option<String> {
    let variables = server.get("variables").map_or(&[][..], Node::entries);
    let defaults: HashMap<&str, &str> = variables
        .iter()
        .filter_map(|(key, variable)| Some((key.name.as_str(), variable.get("default")?.as_str()?)))
        .collect();
    let mut url = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        url.push_str(before);
        url.push_str(defaults.get(name)?);
        rest = after;
    }
    url.push_str(rest);
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::yaml;

    #[test]
    fn the_first_server_says_where_the_paths_are() {
        for (servers, path) in [
            ("[]", None),
            ("[{ url: / }]", None),
            ("[{ url: 'https://api.example.com' }]", None),
            ("[{ url: 'https://api.example.com/' }]", None),
            ("[{ url: 'https://api.example.com/api/v3/' }, { url: /other }]", Some("/api/v3")),
            ("[{ url: /v1 }]", Some("/v1")),
            ("[{ url: '//api.example.com/v1?x=1' }]", Some("/v1")),
            ("[{ url: v1 }]", None),
            (
                "[{ url: 'https://{host}/{base}/v2', variables: { host: { default: h }, base: { default: api } } }]",
                Some("/api/v2"),
            ),
            ("[{ url: 'https://{host}/{base}', variables: { host: { default: h } } }]", None),
            ("[{ url: 'https://{host' }]", None),
            ("[{ url: '/a b' }]", None),
            ("[{ url: '/%zz' }]", None),
            ("[{}]", None),
            ("x", None),
        ] {
            let mut diagnostics = Diagnostics::default();
            let file = diagnostics.add_source(Path::new("a.yaml"), format!("servers: {servers}\n"));
            let root = yaml::parse(file, &mut diagnostics).unwrap();
            assert_eq!(base_path(&root).as_deref(), path, "{servers}");
        }
    }
}
