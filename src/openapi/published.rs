//! The published document as it is kept and sent. Kept is its shortest form; what is asked for is made of that once.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::yaml;

/// The document of one configuration. Clones share.
#[derive(Debug, Clone)]
pub struct Published(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    /// Without white space.
    json: Bytes,
    tag: String,
    packed_json: OnceLock<Bytes>,
    packed_yaml: OnceLock<Bytes>,
}

impl Published {
    /// Of a document.
    pub fn new(document: &Value) -> Published {
        let json = Bytes::from(document.to_string());
        let tag = digest(&json);
        Published(Arc::new(Kept { json, tag, packed_json: OnceLock::new(), packed_yaml: OnceLock::new() }))
    }

    /// As JSON, for people too.
    pub fn json(&self) -> Bytes {
        format!("{:#}\n", self.document()).into()
    }

    /// As YAML.
    pub fn yaml(&self) -> Bytes {
        yaml::write(&self.document()).into()
    }

    /// What changes whenever the document does: a part of an `ETag`.
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// [`Self::json`], packed by gzip.
    pub(super) fn packed_json(&self) -> Bytes {
        self.0.packed_json.get_or_init(|| pack(&self.json())).clone()
    }

    /// [`Self::yaml`], packed by gzip.
    pub(super) fn packed_yaml(&self) -> Bytes {
        self.0.packed_yaml.get_or_init(|| pack(&self.yaml())).clone()
    }

    fn document(&self) -> Value {
        serde_json::from_slice(&self.0.json).unwrap_or(Value::Null)
    }
}

/// 96 bits of SHA-256.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Packs by gzip. Writing into memory does not fail.
pub(super) fn pack(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::default());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

/// Unpacks what was packed here.
pub(super) fn unpack(packed: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(packed.len() * 8);
    let _ = GzDecoder::new(packed).read_to_end(&mut bytes);
    bytes.into()
}
