//! Buckets: the streams that they stand for, made on a real server and used as clients use them.

use natsgate::diagnostic::Diagnostics;
use natsgate::jetstream::apply::render;
use natsgate::jetstream::manifest::Origin;
use natsgate::jetstream::version::Version;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::bench::{Bench, NONE, deadline};
use super::declared;
use crate::support::golden;

fn bucket(kind: &str, spec: &str) -> String {
    format!("---\napiVersion: jetstream.nats.io/v1beta2\nkind: {kind}\nspec: {{ {spec} }}\n")
}

#[test]
fn a_bucket_is_a_stream_as_nack_s_client_makes_it() {
    let manifests = declared(
        &[
            bucket("KeyValue", "bucket: plain"),
            bucket(
                "KeyValue",
                "bucket: full, description: all, maxValueSize: 1024, history: 5, ttl: 1h, limitMarkerTtl: 60000000000, \
                 maxBytes: 1048576, storage: memory, replicas: 3, placement: { cluster: c1 }, compression: true, \
                 republish: { source: '>', destination: 'out.>' }, preventDelete: true, account: team",
            ),
            bucket("KeyValue", "bucket: copy, mirror: { name: plain }"),
            bucket(
                "KeyValue",
                "bucket: both, sources: [{ name: plain }, { name: KV_full }, \
                 { name: RAW, subjectTransforms: [{ source: 'raw.>', dest: '$KV.both.>' }] }]",
            ),
            bucket("ObjectStore", "bucket: reports, ttl: '', maxBytes: 1048576, replicas: 3, metadata: { owner: a }"),
        ]
        .concat(),
    );
    let origins: Vec<_> = manifests.streams.iter().map(|stream| stream.origin).collect();
    assert_eq!(origins, [[Origin::KeyValue; 4].as_slice(), &[Origin::ObjectStore]].concat());
    let configs: Vec<_> = manifests.streams.iter().map(|stream| stream.config(None)).collect();
    golden::assert(
        "tests/jetstream/buckets.json",
        &(serde_json::to_string_pretty(&configs).expect("JSON") + "\n"),
    );
}

#[test]
fn names_that_make_no_subject_are_refused() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("manifest.yaml");
    let long = "x".repeat(252);
    for name in ["", "a.b", "a b", "größe", &long] {
        std::fs::write(&file, bucket("KeyValue", &format!("bucket: '{name}'"))).expect("a manifest");
        let mut diagnostics = Diagnostics::default();
        let paths = [natsgate::yaml::Located::default_of(file.clone())];
        natsgate::jetstream::manifest::load(&paths, &mut diagnostics);
        assert!(diagnostics.has_errors(), "{name}");
    }
}

#[tokio::test]
async fn a_server_takes_them_once_and_keeps_values_by_their_keys() {
    let bench = Bench::start().await;
    // Older servers have no markers.
    let marker = if bench.version() < Version(2, 11, 0) { "" } else { ", limitMarkerTtl: 60000000000" };
    let manifests = declared(
        &(bucket("KeyValue", &format!("bucket: settings, history: 2, ttl: 1h{marker}"))
            + &bucket("KeyValue", "bucket: copy, sources: [{ name: settings }]")
            + &bucket("ObjectStore", "bucket: reports")),
    );
    let until = deadline();
    for expected in ["created", "exists"] {
        let applied = render(&bench.apply(&manifests, NONE).await);
        assert_eq!(applied.matches(expected).count(), 3 + usize::from(expected == "created"), "{applied}");
    }
    let second = bench.plan(&manifests).await;
    assert!(!second.has_differences(), "{}", second.render());
    let client = bench.server.client().await;
    for value in ["1", "2", "3"] {
        client.request("$KV.settings.colour", value.into()).await.expect("an acknowledgement");
    }
    let count = |stream: &'static str| {
        let client = client.clone();
        async move {
            let info =
                client.request(format!("$JS.API.STREAM.INFO.{stream}"), "".into()).await.expect("an answer");
            let info: Value = serde_json::from_slice(&info.payload).expect("JSON");
            info["state"]["messages"].clone()
        }
    };
    assert_eq!(count("KV_settings").await, json!(2), "the history");
    // The copy has the last value, which its own history keeps, under its own keys.
    while count("KV_copy").await != json!(1) {
        assert!(Instant::now() < until, "the copy never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let last =
        client.request("$JS.API.DIRECT.GET.KV_copy.$KV.copy.colour", "".into()).await.expect("a value");
    assert_eq!(&last.payload[..], b"3");
}
