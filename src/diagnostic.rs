//! Problems of configuration files as data: where, what, why, and what to do next.
//!
//! Everything that reads a file reports into one [`Diagnostics`], so that a person sees every problem of
//! every file in one run. Rendering is in `render`; deciding what is wrong is not done here.

mod inside;
mod render;

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where something stands: a file, and a line and column counted from 1 in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Place {
    /// Index into [`Diagnostics::sources`].
    pub file: u32,
    /// Line, from 1. Zero means "the whole file".
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters; zero where unknown.
    pub length: u32,
}

impl Place {
    /// The file as a whole.
    pub fn file(file: u32) -> Place {
        Place { file, ..Place::default() }
    }

    /// A place inside this scalar: `offset` characters after its start.
    ///
    /// Exact for plain scalars; a quoted scalar starts one character later, which `quoted` tells.
    /// [`Diagnostics::inside`] knows every style, and needs the text.
    pub fn inside(self, offset: usize, quoted: bool) -> Place {
        let shift = u32::try_from(offset).unwrap_or(0) + u32::from(quoted);
        if shift == 0 || shift >= self.length {
            return self;
        }
        Place { column: self.column + shift, length: 1, ..self }
    }
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// Works, and probably not as meant.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The rule that is broken, by its stable name, where there is a table of rules.
    pub rule: Option<&'static str>,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Why it is wrong.
    pub reason: Option<Box<str>>,
    /// What to do about it.
    pub help: Option<Box<str>>,
    /// Other places that take part, each with a word on how.
    pub also: Vec<(Place, String)>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, place, message)
    }

    /// A warning at a place.
    pub fn warning(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, place, message)
    }

    /// Of either severity, for whoever looks it up in a table.
    pub fn new(severity: Severity, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            rule: None,
            message: message.into(),
            place: Some(place),
            reason: None,
            help: None,
            also: Vec::new(),
        }
    }

    /// Names the rule that is broken.
    #[must_use]
    pub fn rule(mut self, name: &'static str) -> Diagnostic {
        self.rule = Some(name);
        self
    }

    /// Adds why it is wrong.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<Box<str>>) -> Diagnostic {
        self.reason = Some(reason.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same where it is not in the way.
    #[must_use]
    pub fn as_warning(self) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..self }
    }

    /// Adds another place that takes part.
    #[must_use]
    pub fn also(mut self, place: Place, role: impl Into<String>) -> Diagnostic {
        self.also.push((place, role.into()));
        self
    }
}

/// A file that was read, kept so that its lines can be shown.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as it is shown to people.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

/// Every problem found so far, and the files that they stand in.
#[derive(Debug, Default, Clone)]
pub struct Diagnostics {
    /// The files, in the order in which they were read.
    pub sources: Vec<Source>,
    list: Vec<Diagnostic>,
    hidden: Vec<Place>,
}

impl Diagnostics {
    /// Registers a file and returns its number for [`Place::file`].
    pub fn add_source(&mut self, path: &Path, text: impl Into<Arc<str>>) -> u32 {
        self.sources.push(Source { path: path.to_owned(), text: text.into() });
        u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX)
    }

    /// Keeps what stands at a place out of every source line that is shown: a secret.
    pub fn hide(&mut self, place: Place) {
        self.hidden.push(place);
    }

    /// Notes a problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Notes a problem, unless the same is known at its place, however bad.
    pub fn push_unless_told(&mut self, diagnostic: Diagnostic) {
        let same =
            |known: &Diagnostic| known.place == diagnostic.place && known.message == diagnostic.message;
        if !self.list.iter().any(same) {
            self.list.push(diagnostic);
        }
    }

    /// Notes several problems.
    pub fn extend(&mut self, all: impl IntoIterator<Item = Diagnostic>) {
        all.into_iter().for_each(|one| self.push(one));
    }

    /// Keeps only what the condition holds for.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// Whether anything refuses the configuration.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many of one severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// All problems, in the order of files and lines.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.list.iter().collect();
        all.sort_by_key(|d| d.place);
        all
    }

    /// `path:line:column`, as editors and terminals understand it.
    pub fn locate(&self, place: Place) -> String {
        let path = self.sources.get(place.file as usize).map_or("?".into(), |s| s.path.display().to_string());
        match place.line {
            0 => path,
            line => format!("{path}:{line}:{}", place.column),
        }
    }

    /// The whole report for a terminal.
    pub fn render(&self) -> String {
        render::report(self)
    }

    /// The whole report for machines.
    pub fn to_json(&self) -> serde_json::Value {
        render::json(self)
    }
}

/// The name that was probably meant, if one of these is like it.
pub fn most_like<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.into_iter().map(|known| (strsim::jaro_winkler(name, known), known));
    let like = scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    like.map(|(_, known)| known)
}

/// Whether a character is obeyed, or not seen, where text is shown: control characters, line breaks of any alphabet, and
/// what turns the direction of writing.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{61c}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{ffff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}
