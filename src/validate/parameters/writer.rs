//! JSON text while it is written from what was sent, with everything that is wrong on the way and where.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;

use super::scalar::{self, Encoding, Scalar};
use crate::contract::{Shapes, Types};
use crate::json::{Document, write_string};

/// Faults of one parameter or form that are told; a request with more of them has been told enough.
const MOST_FAULTS: usize = 20;
/// Names of the sender's making are cut here, in characters.
const SHOWN: usize = 120;

/// What is wrong at one place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::validate) struct Fault {
    /// RFC 6901, from the root of the value.
    pub(in crate::validate) pointer: String,
    /// To be read after the name of the place. Never quotes what was sent.
    pub(in crate::validate) detail: String,
}

/// Writes one value.
#[derive(Debug)]
pub(in crate::validate) struct Writer<'s> {
    pub(super) shapes: &'s Shapes,
    pub(super) encoding: Encoding,
    /// A text that is not of its type is told; it stays in the value as text in any case.
    tells_misfits: bool,
    out: Vec<u8>,
    pointer: String,
    faults: Vec<Fault>,
    /// Something could not be taken as anything, so that the value is not whole.
    lost: bool,
}

impl<'s> Writer<'s> {
    pub(in crate::validate) fn new(
        shapes: &'s Shapes,
        encoding: Encoding,
        tells_misfits: bool,
    ) -> Writer<'s> {
        let (out, pointer, faults) = (Vec::new(), String::new(), Vec::new());
        Writer { shapes, encoding, tells_misfits, out, pointer, faults, lost: false }
    }

    /// The JSON text, `None` if it is not whole, and what is wrong.
    pub(in crate::validate) fn finish(self) -> (Option<String>, Vec<Fault>) {
        let text = String::from_utf8(self.out).ok().filter(|_| !self.lost);
        (text, self.faults)
    }

    /// Notes what leaves a hole in the value, and fills it.
    pub(super) fn lose(&mut self, detail: impl Into<String>) {
        self.lost = true;
        self.fault(detail.into());
        self.null();
    }

    /// Notes that what stands here is not of its type.
    fn misfit(&mut self, types: Types) {
        if self.tells_misfits {
            self.fault(scalar::misfit(types));
        }
    }

    pub(super) fn fault(&mut self, detail: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { pointer: self.pointer.clone(), detail });
        }
    }

    pub(super) fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    /// A scalar.
    pub(super) fn scalar(&mut self, types: Types, raw: &str) {
        match self.encoding.decode(raw) {
            Err(bad) => self.lose(bad.to_string()),
            Ok(text) => self.text(types, &text),
        }
    }

    fn text(&mut self, types: Types, text: &str) {
        match scalar::classify(types, text) {
            Ok(Scalar::Json) => self.out.extend_from_slice(text.as_bytes()),
            Ok(Scalar::Null) => self.null(),
            Ok(Scalar::Text) => write_string(&mut self.out, text),
            Err(detail) => {
                if self.tells_misfits {
                    self.fault(detail);
                }
                write_string(&mut self.out, text);
            }
        }
    }

    /// What has been serialised as JSON.
    pub(super) fn json(&mut self, raw: &str) {
        match self.encoding.decode(raw) {
            Err(bad) => self.lose(bad.to_string()),
            Ok(text) => match Document::parse(Bytes::copy_from_slice(text.as_bytes())) {
                Ok(document) => self.out.extend_from_slice(document.root().raw().as_bytes()),
                Err(_) => {
                    self.fault("is not valid JSON".to_owned());
                    write_string(&mut self.out, &text);
                }
            },
        }
    }

    /// A list or map of which the members do not stand by themselves: people send it as JSON.
    pub(super) fn whole(&mut self, types: Types, raw: &str) {
        match self.encoding.decode(raw) {
            Err(bad) => self.lose(bad.to_string()),
            Ok(text) => {
                let fits = match text.trim_ascii_start().as_bytes().first() {
                    Some(b'[') => types.has(Types::ARRAY),
                    Some(b'{') => types.has(Types::OBJECT),
                    _ => false,
                };
                match Document::parse(Bytes::copy_from_slice(text.as_bytes())) {
                    Ok(document) if fits => self.out.extend_from_slice(document.root().raw().as_bytes()),
                    _ => {
                        self.misfit(types);
                        write_string(&mut self.out, &text);
                    }
                }
            }
        }
    }

    /// A list.
    pub(super) fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            let back = self.pointer.len();
            // Writing into a String cannot fail.
            let _ = write!(self.pointer, "/{index}");
            each(self, item);
            self.pointer.truncate(back);
        }
        self.out.push(b']');
    }

    /// A map. Names must differ.
    pub(super) fn map<'n, T>(
        &mut self,
        members: impl IntoIterator<Item = (Cow<'n, str>, T)>,
        mut each: impl FnMut(&mut Self, &str, T) -> bool,
    ) {
        let before = self.begin_map();
        for (name, value) in members {
            self.member(before, &name, |writer| each(writer, &name, value));
        }
        self.end_map();
    }

    /// Opens a map, and tells where its members begin.
    pub(super) fn begin_map(&mut self) -> usize {
        self.out.push(b'{');
        self.out.len()
    }

    pub(super) fn end_map(&mut self) {
        self.out.push(b'}');
    }

    /// A member of the map whose members began at `start`; `each` tells whether it is there, and if it is not,
    /// nothing of it stays.
    pub(super) fn member(&mut self, start: usize, name: &str, each: impl FnOnce(&mut Self) -> bool) -> bool {
        let (mark, back) = (self.out.len(), self.pointer.len());
        if mark > start {
            self.out.push(b',');
        }
        write_string(&mut self.out, name);
        self.out.push(b':');
        self.pointer.push('/');
        for c in name.chars().take(SHOWN) {
            match c {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                c => self.pointer.push(c),
            }
        }
        let there = each(self);
        if !there {
            self.out.truncate(mark);
        }
        self.pointer.truncate(back);
        there
    }
}
