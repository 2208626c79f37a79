//! `KeyValue` and `ObjectStore`: every field of NACK's v1beta2 resources, and the streams that they stand for.
//!
//! A bucket is a stream with a name, subjects and settings that clients rely on; whoever reads the result plans and
//! checks it like any other.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::GoDuration;
use super::stream::{
    Compression, Discard, Origin, Placement, Republish, Source, Storage, Stream, SubjectTransform,
};
use super::values::{Bucket, Limit, Name, SubjectFilter, Tls};
use crate::diagnostic::Place;
use crate::yaml::Located;

/// A declared key-value bucket, as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyValue {
    bucket: Located<Bucket>,
    description: Option<Located<String>>,
    max_value_size: Option<Located<Limit>>,
    history: Option<Located<i64>>,
    ttl: Option<Located<GoDuration>>,
    /// Nanoseconds, unlike every other duration of the resources.
    limit_marker_ttl: Option<Located<i64>>,
    max_bytes: Option<Located<Limit>>,
    storage: Option<Located<Storage>>,
    replicas: Option<Located<u32>>,
    placement: Option<Placement>,
    republish: Option<Republish>,
    mirror: Option<Source>,
    sources: Option<Vec<Source>>,
    compression: Option<Located<bool>>,
    account: Option<Located<String>>,
    creds: Option<Located<String>>,
    nkey: Option<Located<String>>,
    servers: Option<Vec<Located<String>>>,
    tls: Option<Tls>,
    tls_first: Option<Located<bool>>,
    js_domain: Option<Located<String>>,
    prevent_delete: Option<Located<bool>>,
    prevent_update: Option<Located<bool>>,
}

/// A declared object store, as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectStore {
    bucket: Located<Bucket>,
    description: Option<Located<String>>,
    ttl: Option<Located<GoDuration>>,
    max_bytes: Option<Located<Limit>>,
    storage: Option<Located<Storage>>,
    replicas: Option<Located<u32>>,
    placement: Option<Placement>,
    compression: Option<Located<bool>>,
    metadata: Option<BTreeMap<String, String>>,
    account: Option<Located<String>>,
    creds: Option<Located<String>>,
    nkey: Option<Located<String>>,
    servers: Option<Vec<Located<String>>>,
    tls: Option<Tls>,
    tls_first: Option<Located<bool>>,
    js_domain: Option<Located<String>>,
    prevent_delete: Option<Located<bool>>,
    prevent_update: Option<Located<bool>>,
}

impl KeyValue {
    /// The stream `KV_<bucket>`, as NACK's client library makes it.
    pub(super) fn into_stream(self) -> Stream {
        let (bucket, place) = (self.bucket.value.as_str().to_owned(), self.bucket.place);
        let marker = self.limit_marker_ttl.filter(|marker| marker.value > 0);
        let history = self.history.filter(|history| history.value > 0);
        let copies = self.mirror.is_some();
        Stream {
            description: self.description,
            subjects: (!copies).then(|| vec![subject(format!("$KV.{bucket}.>"), place)]),
            max_msgs_per_subject: Some(history.unwrap_or(Located { value: 1, place })),
            max_bytes: self.max_bytes,
            max_age: self.ttl,
            max_msg_size: self.max_value_size,
            storage: Some(self.storage.unwrap_or(Located { value: Storage::File, place })),
            replicas: self.replicas,
            placement: self.placement,
            republish: self.republish,
            mirror: self.mirror.map(|mirror| of_bucket(mirror).0),
            mirror_direct: copies.then_some(Located { value: true, place }),
            sources: self.sources.map(|list| list.into_iter().map(|one| renamed(one, &bucket)).collect()),
            compression: self.compression.as_ref().map(compression),
            deny_delete: Some(Located { value: true, place }),
            allow_msg_ttl: marker.as_ref().map(|marker| Located { value: true, place: marker.place }),
            subject_delete_marker_ttl: marker.map(|marker| Located {
                value: GoDuration::from_nanoseconds(marker.value),
                place: marker.place,
            }),
            account: self.account,
            creds: self.creds,
            nkey: self.nkey,
            servers: self.servers,
            tls: self.tls,
            tls_first: self.tls_first,
            js_domain: self.js_domain,
            prevent_delete: self.prevent_delete,
            prevent_update: self.prevent_update,
            ..bucket_stream("KV", &bucket, place, Origin::KeyValue)
        }
    }
}

impl ObjectStore {
    /// The stream `OBJ_<bucket>`, as NACK's client library makes it.
    pub(super) fn into_stream(self) -> Stream {
        let (bucket, place) = (self.bucket.value.as_str().to_owned(), self.bucket.place);
        let subjects = ["C", "M"].map(|part| subject(format!("$O.{bucket}.{part}.>"), place));
        Stream {
            description: self.description,
            subjects: Some(subjects.to_vec()),
            max_bytes: self.max_bytes,
            max_age: self.ttl,
            storage: Some(self.storage.unwrap_or(Located { value: Storage::File, place })),
            replicas: self.replicas,
            placement: self.placement,
            compression: self.compression.as_ref().map(compression),
            metadata: self.metadata,
            account: self.account,
            creds: self.creds,
            nkey: self.nkey,
            servers: self.servers,
            tls: self.tls,
            tls_first: self.tls_first,
            js_domain: self.js_domain,
            prevent_delete: self.prevent_delete,
            prevent_update: self.prevent_update,
            ..bucket_stream("OBJ", &bucket, place, Origin::ObjectStore)
        }
    }
}

/// What both kinds of buckets have in common: a full one refuses, and a new value replaces the old ones.
fn bucket_stream(prefix: &str, bucket: &str, place: Place, origin: Origin) -> Stream {
    let yes = || Some(Located { value: true, place });
    Stream {
        discard: Some(Located { value: Discard::New, place }),
        allow_rollup: yes(),
        allow_direct: yes(),
        origin,
        ..named(Located { value: Name::of_bucket(prefix, bucket), place })
    }
}

fn subject(text: String, place: Place) -> Located<SubjectFilter> {
    Located { value: SubjectFilter::known(text), place }
}

fn compression(wanted: &Located<bool>) -> Located<Compression> {
    let value = if wanted.value { Compression::S2 } else { Compression::None };
    Located { value, place: wanted.place }
}

/// The source under its stream's name, and the name of its bucket.
fn of_bucket(source: Source) -> (Source, String) {
    let written = source.name.as_str();
    let bucket = written.strip_prefix("KV_").unwrap_or(written).to_owned();
    let name = Located { value: Name::of_bucket("KV", &bucket), place: source.name.place };
    (Source { name, ..source }, bucket)
}

/// Keys arrive under the other bucket's subjects. Whoever wrote transforms has named a whole stream, and is left alone.
fn renamed(source: Source, own: &str) -> Source {
    if source.subject_transforms.as_ref().is_some_and(|list| !list.is_empty()) {
        return source;
    }
    let (source, bucket) = of_bucket(source);
    let is_external = source.external_api_prefix.is_some() || source.external_deliver_prefix.is_some();
    if is_external && bucket == own {
        return source;
    }
    let place = source.name.place;
    let text = |bucket: &str| Some(Located { value: format!("$KV.{bucket}.>"), place });
    let transform = SubjectTransform { source: text(&bucket), dest: text(own) };
    Source { subject_transforms: Some(vec![transform]), ..source }
}

/// One of which nothing but the name is declared.
fn named(name: Located<Name>) -> Stream {
    Stream {
        origin: Origin::Stream,
        name,
        description: None,
        subjects: None,
        retention: None,
        max_consumers: None,
        max_msgs: None,
        max_bytes: None,
        max_age: None,
        max_msg_size: None,
        max_msgs_per_subject: None,
        storage: None,
        discard: None,
        discard_per_subject: None,
        replicas: None,
        no_ack: None,
        duplicate_window: None,
        placement: None,
        mirror: None,
        sources: None,
        sealed: None,
        deny_delete: None,
        deny_purge: None,
        allow_rollup: None,
        compression: None,
        first_sequence: None,
        subject_transform: None,
        republish: None,
        allow_direct: None,
        mirror_direct: None,
        allow_msg_ttl: None,
        subject_delete_marker_ttl: None,
        allow_msg_counter: None,
        allow_atomic_publish: None,
        allow_msg_schedules: None,
        persist_mode: None,
        consumer_limits: None,
        metadata: None,
        account: None,
        creds: None,
        nkey: None,
        servers: None,
        tls: None,
        tls_first: None,
        js_domain: None,
        prevent_delete: None,
        prevent_update: None,
    }
}
