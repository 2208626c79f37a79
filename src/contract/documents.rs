//! The files of one contract: the document and everything that its `$ref`s reach, each read once.
//!
//! References are resolved when they are met and never put in place, so circular ones cost nothing.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use serde_json::Value as Json;
use url::Url;

use super::cursor::SchemaRef;
use super::identifiers::Identifiers;
use super::reference::Reference;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::file;
use crate::yaml::{self, Node, Value};

/// Files of one contract. Large APIs are split into some hundreds.
const MOST_FILES: usize = 5_000;

/// `$ref`s one after another, before something else stands there.
const MOST_HOPS: usize = 64;

/// Which rules schemas follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 3.0: its own; what stands beside a `$ref` is ignored.
    V30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    V31,
}

/// Before the number of the file in the references of [`Documents::json`].
const SCHEME: &str = "contract:/";

/// All files, by the number under which diagnostics know them.
#[derive(Debug)]
pub(super) struct Documents {
    main: u32,
    files: HashMap<u32, Document>,
    /// Who a path, as [`identity`] has it, belongs to, or why it could not be read.
    numbers: HashMap<PathBuf, Result<u32, Unreadable>>,
    identifiers: Identifiers,
    /// Which keys stand anywhere, as far as that was asked.
    mentioned: Mutex<HashMap<&'static str, bool>>,
}

#[derive(Debug)]
struct Document {
    /// As people know it.
    path: PathBuf,
    /// Its address, for the references of schemas.
    address: Option<Url>,
    root: Node,
    /// The same for schema checks: made when first asked for.
    json: OnceLock<Json>,
}

impl Document {
    fn new(path: &Path, root: Node) -> Document {
        let address = Url::from_file_path(identity(path)).ok();
        Document { path: path.to_owned(), address, root, json: OnceLock::new() }
    }
}

/// Why a file could not be read, with the place of a syntax error.
#[derive(Debug, Clone)]
struct Unreadable {
    message: String,
    place: Option<Place>,
}

impl Documents {
    /// Reads the main file and every file it leads to. Only what is wrong with the main file is told here;
    /// a file that no operation in use needs may be missing.
    pub(super) fn load(path: &Path, diagnostics: &mut Diagnostics) -> Option<Documents> {
        let text = match file::read_document(path) {
            Ok(text) => text,
            Err(error) => {
                let file = diagnostics.add_source(path, "");
                let message = format!("the contract cannot be read: {error}");
                diagnostics.push(
                    Diagnostic::error(Place::file(file), message).help("check the path and its permissions"),
                );
                return None;
            }
        };
        let main = diagnostics.add_source(path, text);
        let root = yaml::parse(main, diagnostics)?;
        let mut documents = Documents {
            main,
            files: HashMap::from([(main, Document::new(path, root))]),
            numbers: HashMap::from([(identity(path), Ok(main))]),
            identifiers: Identifiers::default(),
            mentioned: Mutex::default(),
        };
        documents.load_others(diagnostics);
        documents.identify();
        Some(documents)
    }

    fn load_others(&mut self, diagnostics: &mut Diagnostics) {
        let mut waiting = VecDeque::from([self.main]);
        while let Some(number) = waiting.pop_front() {
            let Some(document) = self.files.get(&number) else { continue };
            for path in other_files(document) {
                if self.numbers.contains_key(&identity(&path)) || self.numbers.len() >= MOST_FILES {
                    continue;
                }
                let read = read_aside(&path, diagnostics);
                let outcome = read.map(|(number, root)| {
                    self.files.insert(number, Document::new(&path, root));
                    waiting.push_back(number);
                    number
                });
                self.numbers.insert(identity(&path), outcome);
            }
        }
    }

    /// Notes the names that schemas give themselves. OpenAPI 3.0 has none.
    fn identify(&mut self) {
        if self.dialect() == Dialect::V30 {
            return;
        }
        let mut numbers: Vec<u32> = self.files.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            let Some(document) = self.files.get(&number) else { continue };
            if let Some(address) = &document.address {
                self.identifiers.add(number, &document.root, address);
            }
        }
    }

    /// The names that schemas give themselves.
    pub(super) fn identifiers(&self) -> &Identifiers {
        &self.identifiers
    }

    /// The main document.
    pub(super) fn root(&self) -> Option<&Node> {
        self.files.get(&self.main).map(|document| &document.root)
    }

    /// The node at a pointer of a file.
    pub(super) fn at(&self, file: u32, pointer: &str) -> Option<&Node> {
        self.files.get(&file)?.root.pointer(pointer)
    }

    /// The name of a file, without its folder and ending.
    pub(super) fn stem(&self, file: u32) -> &str {
        let path = self.files.get(&file).map(|document| document.path.as_path());
        path.and_then(Path::file_stem).and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// By the version that the main document names.
    pub(super) fn dialect(&self) -> Dialect {
        let version = self.root().and_then(|root| root.get("openapi")).map(Node::to_json);
        let version = version.map(|version| version.as_str().map_or(version.to_string(), str::to_owned));
        match version.is_some_and(|version| version.starts_with("3.0")) {
            true => Dialect::V30,
            false => Dialect::V31,
        }
    }

    /// Whether a key stands anywhere.
    pub(super) fn mentions(&self, key: &'static str) -> bool {
        let look = || self.files.values().any(|document| mentions(&document.root, key));
        let mut known = self.mentioned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known.entry(key).or_insert_with(look)
    }

    /// What a `$ref` means, one step, with its pointer; `reference` is the text node that holds it.
    pub(super) fn resolve(&self, reference: &Node) -> Result<(&Node, String), Diagnostic> {
        let text = reference.as_str().unwrap_or_default();
        if let Some((node, spot)) = self.named(text, reference.place) {
            return Ok((node, spot.pointer));
        }
        let dangling = |why: &str| {
            Diagnostic::error(reference.place, format!("the reference `{text}` leads nowhere: {why}"))
        };
        let target = Reference::parse(text).map_err(|why| {
            dangling(why).help("save what it means beside the contract, and point to it as `file.yaml#/…`")
        })?;
        let file = self.number(reference.place.file, &target.file).map_err(|unreadable| {
            let diagnostic = dangling(&unreadable.message).help("correct the file's name, or the file");
            match unreadable.place {
                Some(place) => diagnostic.also(place, "the file is wrong here"),
                None => diagnostic,
            }
        })?;
        match self.at(file, &target.pointer) {
            Some(node) => Ok((node, target.pointer)),
            None => Err(dangling("nothing stands there").help("correct the reference, or add what it names")),
        }
    }

    /// What a reference means by the names that schemas give themselves.
    fn named(&self, text: &str, place: Place) -> Option<(&Node, SchemaRef)> {
        if self.identifiers.is_empty() {
            return None;
        }
        let spot = self.identifiers.find(text, place, self.files.get(&place.file)?.address.as_ref()?)?;
        Some((self.at(spot.file, &spot.pointer)?, spot))
    }

    /// Follows `$ref`s until something else stands there.
    pub(super) fn follow<'c>(
        &'c self,
        mut node: &'c Node,
        mut pointer: String,
    ) -> Result<(&'c Node, String), Diagnostic> {
        let first = node;
        for _ in 0..MOST_HOPS {
            match node.get("$ref") {
                Some(reference) if reference.as_str().is_some() => {
                    (node, pointer) = self.resolve(reference)?;
                }
                _ => return Ok((node, pointer)),
            }
        }
        let message = "this reference leads back to itself";
        Err(Diagnostic::error(first.place, message).help("let one of the references point to a definition"))
    }

    fn number(&self, from: u32, file: &Path) -> Result<u32, Unreadable> {
        let unknown =
            || Unreadable { message: "the file was not read: there are too many".into(), place: None };
        match self.files.get(&from) {
            Some(_) if file.as_os_str().is_empty() => Ok(from),
            Some(document) => {
                self.numbers.get(&identity(&beside(document, file))).cloned().unwrap_or(Err(unknown()))
            }
            None => Err(unknown()),
        }
    }

    /// The value at a pointer of a file as JSON. Its `$ref`s are absolute, see [`Self::resolve_json`].
    pub(super) fn json(&self, file: u32, pointer: &str) -> Option<&Json> {
        let document = self.files.get(&file)?;
        document.json.get_or_init(|| self.to_json(&document.root)).pointer(pointer)
    }

    /// What an absolute reference out of [`Self::json`] means.
    pub(super) fn resolve_json(&self, reference: &str) -> Option<&Json> {
        let (file, fragment) = reference.strip_prefix(SCHEME)?.split_once('#')?;
        let target = Reference::parse(&format!("#{fragment}")).ok()?;
        self.json(file.parse().ok()?, &target.pointer)
    }

    fn to_json(&self, node: &Node) -> Json {
        match &node.value {
            Value::List(items) => items.iter().map(|item| self.to_json(item)).collect(),
            Value::Map(entries) => {
                let entry = |(key, value): &(yaml::Key, Node)| {
                    let absolute = if key.name == "$ref" { self.absolute(value) } else { None };
                    (key.name.clone(), absolute.map_or_else(|| self.to_json(value), Json::String))
                };
                entries.iter().map(entry).collect()
            }
            _ => node.to_json(),
        }
    }

    fn absolute(&self, reference: &Node) -> Option<String> {
        let text = reference.as_str()?;
        if let Some((_, spot)) = self.named(text, reference.place) {
            return Some(format!("{SCHEME}{}#{}", spot.file, spot.pointer.replace('%', "%25")));
        }
        let fragment = text.split_once('#').map_or("", |(_, fragment)| fragment);
        let file = self.number(reference.place.file, &Reference::parse(text).ok()?.file).ok()?;
        Some(format!("{SCHEME}{file}#{fragment}"))
    }
}

/// Reads a file that is referred to. Its problems matter only to operations that need it, so they are returned.
fn read_aside(path: &Path, diagnostics: &mut Diagnostics) -> Result<(u32, Node), Unreadable> {
    let text = file::read_document(path)
        .map_err(|error| Unreadable { message: format!("the file cannot be read: {error}"), place: None })?;
    let mut aside = Diagnostics::default();
    std::mem::swap(&mut aside.sources, &mut diagnostics.sources);
    let file = aside.add_source(path, text);
    let root = yaml::parse(file, &mut aside);
    let problem = aside.sorted().first().map(|problem| (problem.message.clone(), problem.place));
    diagnostics.sources = aside.sources;
    root.map(|root| (file, root)).ok_or_else(|| {
        let (message, place) = problem.unwrap_or_default();
        Unreadable { message, place }
    })
}

fn mentions(node: &Node, key: &str) -> bool {
    node.items().iter().any(|item| mentions(item, key))
        || node.entries().iter().any(|(name, value)| name.name == key || mentions(value, key))
}

fn beside(document: &Document, file: &Path) -> PathBuf {
    document.path.parent().unwrap_or(Path::new("")).join(file)
}

/// One file has one identity, however its path is written.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The other files that a document refers to.
fn other_files(document: &Document) -> Vec<PathBuf> {
    let (mut found, mut waiting) = (Vec::new(), vec![&document.root]);
    while let Some(node) = waiting.pop() {
        waiting.extend(node.items());
        waiting.extend(node.entries().iter().map(|(_, value)| value));
        let reference = node.get("$ref").and_then(Node::as_str).map(Reference::parse);
        if let Some(Ok(Reference { file, .. })) = reference
            && !file.as_os_str().is_empty()
        {
            found.push(beside(document, &file));
        }
    }
    found.sort();
    found.dedup();
    found
}
