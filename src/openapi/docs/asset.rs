//! The files of the page that are the same everywhere.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::openapi::published::{digest, pack};

/// A file.
pub(super) struct Asset {
    name: &'static str,
    pub(super) media_type: &'static str,
    source: Source,
    ready: OnceLock<(Bytes, String)>,
}

/// How a file lies in the binary.
enum Source {
    Text(&'static str),
    Packed(&'static [u8]),
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static ALL: [Asset; 4] = [
    Asset::new("/docs.js", SCRIPT, Source::Text(include_str!("../assets/docs.js"))),
    Asset::new("/docs.css", STYLE, Source::Text(include_str!("../assets/docs.css"))),
    Asset::new(
        "/swagger-ui-bundle.js",
        SCRIPT,
        Source::Packed(include_bytes!("../assets/swagger-ui-bundle.js.gz")),
    ),
    Asset::new("/swagger-ui.css", STYLE, Source::Packed(include_bytes!("../assets/swagger-ui.css.gz"))),
];

impl Asset {
    const fn new(name: &'static str, media_type: &'static str, source: Source) -> Asset {
        Asset { name, media_type, source, ready: OnceLock::new() }
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|asset| asset.name)
    }

    pub(super) fn named(name: &str) -> Option<&'static Asset> {
        ALL.iter().find(|asset| asset.name == name)
    }

    /// Packed by gzip, and what tells it from another version of itself.
    pub(super) fn packed(&self) -> (Bytes, &str) {
        let (packed, tag) = self.ready.get_or_init(|| {
            let packed = match self.source {
                Source::Text(text) => pack(text.as_bytes()),
                Source::Packed(bytes) => Bytes::from_static(bytes),
            };
            let tag = digest(&packed);
            (packed, tag)
        });
        (packed.clone(), tag)
    }
}
