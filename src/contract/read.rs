//! Documents → operations. What is wrong with one operation is kept with it: it matters if the operation is used.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

use super::cursor::Cursor;
use super::documents::Documents;
use super::operation::{Form, MediaType, Operation, Problems, RequestBody, Response, ResponseStatus};
use super::parameter::{self, Parameter};
use super::path::PathTemplate;
use super::schema::SchemaView;
use super::security::{self, Security};
use super::shape::Shapes;
use super::style::{self, Serialization};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::expression::Location;
use crate::media_type::is_form;
use crate::yaml::{Key, Located};

const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

/// Reads every operation. `base_path` is put before each path.
pub(super) fn operations(
    documents: &Documents,
    base_path: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<Operation> {
    let Some(root) = Cursor::root(documents) else { return Vec::new() };
    let mut problems = Vec::new();
    let security = root.get("security").map(|written| security::read(&written, &mut problems));
    let reader = Reader { documents, base_path, security, problems };
    let mut operations = Vec::new();
    for (key, item) in root.get("paths").iter().flat_map(Cursor::entries) {
        match item.clone().follow() {
            Ok(target) => {
                // Beside a `$ref` there may be operations too.
                let own = Some(item).filter(|item| item.place() != target.place());
                let items = own.into_iter().chain([target]);
                operations.extend(items.flat_map(|item| reader.path_item(key, &item)));
            }
            // Nobody knows which operations these are, so nothing that is bound can be among them.
            Err(problem) => diagnostics.push(Diagnostic { severity: Severity::Warning, ..problem }),
        }
    }
    operations
}

struct Reader<'c> {
    documents: &'c Documents,
    base_path: &'c str,
    /// What applies to operations that say nothing.
    security: Option<Security>,
    /// What is wrong with that.
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn path_item(&self, key: &Key, item: &Cursor<'_>) -> Vec<Operation> {
        let methods = METHODS
            .iter()
            .filter_map(|(name, method)| Some((method, item.node.entry(name)?.0, item.get(name)?)));
        methods.map(|(method, name, cursor)| self.operation(key, item, method, name, &cursor)).collect()
    }

    fn operation(
        &self,
        path: &Key,
        item: &Cursor<'_>,
        method: &Method,
        name: &Key,
        cursor: &Cursor<'_>,
    ) -> Operation {
        let Problems { mut always, mut read, named } = Problems::default();
        let template = self.template(path).map_err(|problem| always.push(problem)).ok();
        let parameters = self.parameters(item, cursor, &mut read);
        // Of a parameter that could not be read nobody knows the name.
        if let Some(template) = template.as_ref().filter(|_| read.is_empty()) {
            read.extend(undeclared(path, template, &parameters));
        }
        Operation {
            method: method.clone(),
            path: format!("{}{}", self.base_path, path.name),
            template,
            id: id(cursor),
            place: name.place,
            parameters,
            summary: cursor
                .text("summary")
                .or_else(|| cursor.text("description")?.lines().next())
                .map(str::to_owned),
            tag: cursor.get("tags").and_then(|tags| Some(tags.node.items().first()?.as_str()?.to_owned())),
            body: body(self.documents, cursor, &mut read),
            responses: responses(cursor, &mut always),
            deprecated: cursor.flag("deprecated") == Some(true),
            security: self.security(cursor, &mut always),
            spots: [item.schema(), cursor.schema()],
            problems: Problems { always, named, read },
        }
    }

    fn security(&self, cursor: &Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Option<Security> {
        match cursor.get("security") {
            Some(own) => Some(security::read(&own, problems)),
            None => {
                problems.extend(self.problems.iter().cloned());
                self.security.clone()
            }
        }
    }

    fn template(&self, path: &Key) -> Result<PathTemplate, Diagnostic> {
        if !path.name.starts_with('/') {
            let problem = Diagnostic::error(path.place, "a path starts with `/`");
            return Err(problem.help(format!("write `/{}`", path.name)));
        }
        PathTemplate::parse(&format!("{}{}", self.base_path, path.name)).map_err(|error| {
            let offset = error.offset.saturating_sub(self.base_path.chars().count());
            let quoted = path.place.length as usize > path.name.chars().count();
            Diagnostic::error(path.place.inside(offset, quoted), error.message).help(error.help)
        })
    }

    /// Those of the path, unless the operation has one of the same name and location, and its own.
    fn parameters(
        &self,
        item: &Cursor<'_>,
        cursor: &Cursor<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for list in [item, cursor].iter().filter_map(|level| level.get("parameters")) {
            for parameter in list.items() {
                match parameter.follow().and_then(|parameter| parameter::read(self.documents, &parameter)) {
                    Ok(Some(parameter)) => {
                        parameters.retain(|known| {
                            known.location != parameter.location || known.name != parameter.name
                        });
                        parameters.push(parameter);
                    }
                    Ok(None) => {}
                    Err(problem) => problems.push(problem),
                }
            }
        }
        parameters
    }
}

/// Parameters that stand in the path or in the list, and not in both. Both work: the first is any text, the
/// second is never there.
fn undeclared(path: &Key, template: &PathTemplate, parameters: &[Parameter]) -> Vec<Diagnostic> {
    let in_path = || parameters.iter().filter(|parameter| parameter.location == Location::Path);
    let unknown = template.names().iter().filter(|name| in_path().all(|parameter| parameter.name != **name));
    let unused = in_path().filter(|parameter| !template.names().contains(&parameter.name));
    let unknown = unknown.map(|name| {
        Diagnostic::warning(path.place, format!("the path parameter `{name}` is not declared"))
            .reason("it is taken as any text")
            .help(format!("add it to `parameters`: {{ name: {name}, in: path, required: true, schema: … }}"))
    });
    let unused = unused.map(|parameter| {
        let message = format!("the path has no parameter `{}`", parameter.name);
        Diagnostic::warning(parameter.place, message)
            .also(path.place, "the path")
            .help("correct one of the two names, or remove the parameter")
    });
    unknown.chain(unused).collect()
}

fn id(cursor: &Cursor<'_>) -> Option<Located<String>> {
    let id = cursor.get("operationId")?;
    Some(Located { value: id.node.as_str()?.to_owned(), place: id.place() })
}

fn body(documents: &Documents, cursor: &Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Option<RequestBody> {
    let body = cursor.get("requestBody")?.follow().map_err(|problem| problems.push(problem)).ok()?;
    let required = body.flag("required") == Some(true);
    let mut media_types = media_types(&body);
    for ((_, media), read) in body.get("content").iter().flat_map(Cursor::entries).zip(&mut media_types) {
        read.form = is_form(&read.name).then(|| form(documents, &media));
    }
    Some(RequestBody { required, media_types, place: body.place() })
}

/// How the fields of a form are read. Without a schema it is any map.
fn form(documents: &Documents, media: &Cursor<'_>) -> Form {
    let schema = media.get("schema");
    let shapes =
        schema.map_or_else(Shapes::map, |schema| Shapes::of(&SchemaView::new(documents, &[schema.node])));
    let encoding = media.get("encoding");
    let fields = encoding.iter().flat_map(Cursor::entries);
    let fields =
        fields.filter_map(|(key, encoding)| Some((key.name.clone(), style::of_encoding(&encoding)?)));
    let fields: HashMap<String, Serialization> = fields.collect();
    let spread = fields.iter().filter(|(_, said)| said.spreads());
    let spread = spread.filter_map(|(name, _)| shapes.root().named(name));
    let claimed = spread.flat_map(|id| shapes.get(id).members.iter().map(|(name, _)| Arc::clone(name)));
    Form { claimed: claimed.collect(), shapes, fields }
}

fn responses(cursor: &Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Vec<Response> {
    let mut responses = Vec::new();
    for (key, response) in cursor.get("responses").iter().flat_map(Cursor::entries) {
        let Some(status) = status(&key.name) else {
            let message = format!("`{}` is not a status", key.name);
            let help = "write a code like `200`, a range like `4XX`, or `default`";
            problems.push(Diagnostic::warning(key.place, message).help(help));
            continue;
        };
        let media_types = match response.follow() {
            Ok(response) => media_types(&response),
            // What is not known of an answer is not promised: the operation works without it.
            Err(problem) => {
                problems.push(Diagnostic { severity: Severity::Warning, ..problem });
                Vec::new()
            }
        };
        responses.push(Response { status, media_types });
    }
    responses
}

fn status(key: &str) -> Option<ResponseStatus> {
    let range =
        |key: &str| key.strip_suffix("XX").or(key.strip_suffix("xx")).and_then(|digit| digit.parse().ok());
    match key {
        "default" => Some(ResponseStatus::Default),
        _ if range(key).is_some_and(|digit: u8| (1..=5).contains(&digit)) => {
            range(key).map(ResponseStatus::Range)
        }
        _ => key.parse().ok().filter(|code| (100..=599).contains(code)).map(ResponseStatus::Code),
    }
}

fn media_types(cursor: &Cursor<'_>) -> Vec<MediaType> {
    let content = cursor.get("content");
    let entries = content.iter().flat_map(Cursor::entries);
    entries
        .map(|(key, media)| MediaType {
            name: key.name.clone(),
            schema: media.get("schema").map(|at| at.schema()),
            form: None,
        })
        .collect()
}
