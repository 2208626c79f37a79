//! What a change takes with it: nothing goes that no flag allowed, and a replacement that fails leaves what was there.

use futures_util::StreamExt as _;
use natsgate::jetstream::apply::{Applied, Options, Outcome, apply, render};
use natsgate::jetstream::plan::Class;
use natsgate::jetstream::version::Version;
use serde_json::{Value, json};

use super::bench::{ALL, Bench, NONE, changes, manifests};
use crate::support::nats_server::NatsServer;

const REPLACE: Options = Options { replace: true, ..NONE };
const FILE: &str = "name: ORDERS, subjects: [orders.>], storage: file";
const MEMORY: &str = "name: ORDERS, subjects: [orders.>], storage: memory";
const WORK: &str = "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s";

async fn publish(bench: &Bench, subject: &'static str) {
    let jetstream = async_nats::jetstream::new(bench.server.client().await);
    jetstream.publish(subject, "x".into()).await.expect("published").await.expect("stored");
}

async fn messages(bench: &Bench) -> Value {
    bench.api("STREAM.INFO.ORDERS", json!({})).await.expect("a stream")["state"]["messages"].clone()
}

#[tokio::test]
async fn a_message_that_arrives_after_the_plan_is_not_deleted_without_the_flag() {
    let bench = Bench::start().await;
    bench.apply(&manifests(FILE, &[]), NONE).await;
    let plan = bench.plan(&manifests(MEMORY, &[])).await;
    assert!(plan.assets[0].loses.is_none(), "{}", plan.render());
    publish(&bench, "orders.new").await;
    let applied = bench.apply_plan(&plan, REPLACE).await;
    assert!(matches!(applied[0].outcome, Outcome::Refused(_)), "{}", render(&applied));
    assert!(render(&applied).contains("1 message"), "{}", render(&applied));
    assert_eq!(messages(&bench).await, json!(1));
    let applied = bench.apply_plan(&plan, ALL).await;
    assert!(matches!(applied[0].outcome, Outcome::Replaced(_)), "{}", render(&applied));
}

#[tokio::test]
async fn consumers_of_nobody_s_manifest_do_not_go_with_an_empty_stream_without_the_flag() {
    let bench = Bench::start().await;
    bench.apply(&manifests(FILE, &[WORK]), NONE).await;
    let applied = bench.apply(&manifests(MEMORY, &[]), REPLACE).await;
    assert!(matches!(applied[0].outcome, Outcome::Refused(_)), "{}", render(&applied));
    assert!(render(&applied).contains("WORK"), "{}", render(&applied));
    let applied = bench.apply(&manifests(MEMORY, &[WORK]), REPLACE).await;
    assert!(!applied.iter().any(Applied::is_failure), "{}", render(&applied));
}

#[tokio::test]
async fn a_replacement_that_the_server_refuses_leaves_the_stream_and_its_consumers() {
    let bench = Bench::start().await;
    bench.apply(&manifests(FILE, &[WORK]), NONE).await;
    // A single server carries no three replicas, which it says after the old stream is gone.
    let applied = bench.apply(&manifests(&format!("{MEMORY}, replicas: 3"), &[WORK]), ALL).await;
    let told = render(&applied);
    assert!(matches!(applied[0].outcome, Outcome::Failed(_)), "{told}");
    assert!(told.contains("deleted") && told.contains("--replicas 1"), "{told}");
    assert_eq!(bench.config("STREAM.INFO.ORDERS").await["storage"], json!("file"));
    assert_eq!(bench.config("CONSUMER.INFO.ORDERS.WORK").await["ack_wait"], json!(30_000_000_000_u64));
}

#[tokio::test]
async fn a_consumer_whose_replacement_is_refused_is_there_as_before() {
    let bench = Bench::start().await;
    let stream = "name: ORDERS, subjects: [orders.>], storage: file, consumerLimits: { maxAckPending: 50 }";
    bench.apply(&manifests(stream, &[WORK]), NONE).await;
    let beyond = format!("{WORK}, maxWaiting: 7, maxAckPending: 500");
    let applied = bench.apply(&manifests(stream, &[&beyond]), ALL).await;
    assert!(matches!(applied[1].outcome, Outcome::Failed(_)), "{}", render(&applied));
    assert_eq!(bench.config("CONSUMER.INFO.ORDERS.WORK").await["max_waiting"], json!(512));
}

#[tokio::test]
async fn a_narrower_filter_deletes_what_only_this_consumer_of_an_interest_stream_waits_for() {
    let bench = Bench::start().await;
    let stream = format!("{FILE}, retention: interest");
    let filtered = |subject: &str| format!("{WORK}, filterSubject: {subject}");
    bench.apply(&manifests(&stream, &[&filtered("orders.*")]), NONE).await;
    publish(&bench, "orders.old").await;
    let narrower = manifests(&stream, &[&filtered("orders.new")]);
    let applied = bench.apply(&narrower, NONE).await;
    assert!(matches!(applied[1].outcome, Outcome::Refused(_)), "{}", render(&applied));
    assert_eq!(messages(&bench).await, json!(1));
    // A wider one costs nothing, and neither does a narrower one where messages are kept anyway.
    let wider = bench.plan(&manifests(&stream, &[&filtered("orders.>")])).await;
    assert!(changes(&wider).all(|change| change.class == Class::InPlace), "{}", wider.render());
    let applied = bench.apply(&manifests(FILE, &[&filtered("orders.new")]), NONE).await;
    match bench.version() < Version(2, 11, 0) {
        // There a consumer goes on as if its stream were still one of interest.
        true => assert!(matches!(applied[1].outcome, Outcome::Refused(_)), "{}", render(&applied)),
        false => assert!(!applied.iter().any(Applied::is_failure), "{}", render(&applied)),
    }
    assert_eq!(messages(&bench).await, json!(1));
}

#[tokio::test]
async fn a_consumer_that_would_skip_what_it_has_not_delivered_is_not_replaced_without_the_flag() {
    let bench = Bench::start().await;
    let new = format!("{WORK}, deliverPolicy: new");
    bench.apply(&manifests(FILE, &[&new]), NONE).await;
    publish(&bench, "orders.new").await;
    let after = manifests(FILE, &[&format!("{new}, maxWaiting: 7")]);
    let applied = bench.apply(&after, REPLACE).await;
    assert!(matches!(applied[1].outcome, Outcome::Refused(_)), "{}", render(&applied));
    let info = bench.api("CONSUMER.INFO.ORDERS.WORK", json!({})).await.expect("a consumer");
    assert_eq!(info["num_pending"], json!(1));
}

#[tokio::test]
async fn a_stream_that_the_server_keeps_otherwise_has_its_consumers_all_the_same() {
    let server =
        NatsServer::with("jetstream { store_dir: $DIR/limited, limits { duplicate_window: 30s } }").await;
    let bench = Bench::on(server).await;
    let applied = bench.apply(&manifests(FILE, &[WORK]), NONE).await;
    assert!(matches!(applied[0].outcome, Outcome::NotKept(_)), "{}", render(&applied));
    assert_eq!(applied[1].outcome, Outcome::Created, "{}", render(&applied));
}

/// Passes what is sent to `$FAKE.API` on to the server. The first creation is answered as by a cluster that has no leader
/// for it right now.
async fn unsteady(bench: &Bench) -> natsgate::nats::Nats {
    let client = bench.server.client().await;
    let mut requests = client.subscribe("$FAKE.API.>").await.expect("subscribed");
    client.flush().await.expect("flushed");
    tokio::spawn(async move {
        let mut failed = false;
        while let Some(request) = requests.next().await {
            let Some(reply) = request.reply else { continue };
            let subject = request.subject.replace("$FAKE.API", "$JS.API");
            let answer = match !failed && subject.starts_with("$JS.API.STREAM.CREATE") {
                true => {
                    failed = true;
                    let error = json!({ "code": 503, "err_code": 10_008, "description": "unavailable" });
                    json!({ "error": error }).to_string().into()
                }
                false => client.request(subject, request.payload).await.expect("an answer").payload,
            };
            client.publish(reply, answer).await.expect("published");
        }
    });
    let options = natsgate::nats::Options {
        servers: vec![bench.server.url()],
        api_prefix: "$FAKE.API".to_owned(),
        ..Default::default()
    };
    let nats = natsgate::nats::Nats::start(options).expect("options are right");
    assert!(nats.connected(super::bench::deadline()).await);
    nats
}

#[tokio::test]
async fn what_was_deleted_is_created_when_the_cluster_is_able_to_again() {
    let bench = Bench::start().await;
    bench.apply(&manifests(FILE, &[]), NONE).await;
    let plan = bench.plan(&manifests(MEMORY, &[])).await;
    let nats = unsteady(&bench).await;
    let applied = apply(&nats, &plan, ALL, super::bench::deadline()).await;
    assert!(matches!(applied[0].outcome, Outcome::Replaced(_)), "{}", render(&applied));
    assert_eq!(bench.config("STREAM.INFO.ORDERS").await["storage"], json!("memory"));
}

#[tokio::test]
async fn a_sealed_stream_is_never_created_so_none_is_deleted_for_it() {
    let bench = Bench::start().await;
    let sealed = |spec: &str| manifests(&format!("{spec}, sealed: true"), &[]);
    assert!(bench.plan(&sealed(FILE)).await.has_problems(), "nothing to seal");
    bench.apply(&manifests(FILE, &[]), NONE).await;
    publish(&bench, "orders.new").await;
    let applied = bench.apply(&sealed(MEMORY), ALL).await;
    assert!(matches!(applied[0].outcome, Outcome::Refused(_)), "{}", render(&applied));
    assert_eq!(messages(&bench).await, json!(1));
    let applied = bench.apply(&sealed(FILE), ALL).await;
    assert!(matches!(applied[0].outcome, Outcome::Updated(_)), "{}", render(&applied));
}
