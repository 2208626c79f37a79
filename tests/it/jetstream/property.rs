//! Whatever is declared: applied, it is in force; changed, exactly the change is planned; applied again, nothing is left.

use natsgate::jetstream::apply::{Applied, render};
use natsgate::jetstream::plan::{Action, Plan};
use natsgate::jetstream::version::Version;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::json;

use super::bench::{ALL, Bench, fields, text};
use super::declared;

/// A manifest's field, values that are not the default, the server's field, and the first server that knows it.
type Choice = (&'static str, [&'static str; 2], &'static str, (u32, u32));

const V: (u32, u32) = (2, 10);

const STREAM: &[Choice] = &[
    ("description", ["one", "two"], "description", V),
    ("maxMsgs", ["1000", "2000"], "max_msgs", V),
    ("maxBytes", ["1000000", "2000000"], "max_bytes", V),
    ("maxAge", ["1h", "90m"], "max_age", V),
    ("maxMsgSize", ["1000", "2000"], "max_msg_size", V),
    ("maxMsgsPerSubject", ["5", "10"], "max_msgs_per_subject", V),
    ("storage", ["file", "file"], "storage", V),
    ("noAck", ["true", "true"], "no_ack", V),
    ("duplicateWindow", ["30s", "1m"], "duplicate_window", V),
    ("denyDelete", ["true", "true"], "deny_delete", V),
    ("allowRollup", ["true", "true"], "allow_rollup_hdrs", V),
    ("compression", ["s2", "s2"], "compression", V),
    (
        "subjectTransform",
        ["{ source: '$IN', dest: '$TO.a' }", "{ source: '$IN', dest: '$TO.b' }"],
        "subject_transform.dest",
        V,
    ),
    (
        "republish",
        ["{ source: '>', destination: '$OUT.>' }", "{ source: '>', destination: '$OTHER.>' }"],
        "republish.dest",
        V,
    ),
    ("allowDirect", ["true", "true"], "allow_direct", V),
    (
        "consumerLimits",
        ["{ maxAckPending: 600 }", "{ maxAckPending: 700 }"],
        "consumer_limits.max_ack_pending",
        (2, 14),
    ),
    ("metadata", ["{ a: b }", "{ a: c }"], "metadata.a", V),
    (
        "sources",
        ["[{ name: ORIGIN }]", "[{ name: ORIGIN, filterSubject: origin.a }]"],
        "sources[ORIGIN].filter_subject",
        V,
    ),
    ("maxConsumers", ["50", "60"], "max_consumers", V),
    ("allowMsgTtl", ["true", "true"], "allow_msg_ttl", (2, 11)),
    ("subjectDeleteMarkerTtl", ["1s", "2s"], "subject_delete_marker_ttl", (2, 11)),
    ("allowAtomicPublish", ["true", "true"], "allow_atomic", (2, 12)),
];

const CONSUMER: &[Choice] = &[
    ("description", ["one", "two"], "description", V),
    ("ackWait", ["5s", "7s"], "ack_wait", V),
    ("maxDeliver", ["10", "11"], "max_deliver", V),
    ("backoff", ["[1s, 2s]", "[1s, 3s, 9s]"], "backoff", V),
    ("filterSubjects", ["['$IN.a']", "['$IN.a', '$IN.b']"], "filter_subjects", V),
    ("replayPolicy", ["original", "original"], "replay_policy", V),
    ("sampleFreq", ["'50'", "'60'"], "sample_freq", V),
    ("maxAckPending", ["100", "200"], "max_ack_pending", V),
    ("headersOnly", ["true", "true"], "headers_only", V),
    ("inactiveThreshold", ["1h", "2h"], "inactive_threshold", V),
    ("memStorage", ["true", "true"], "mem_storage", V),
    ("replicas", ["1", "1"], "num_replicas", V),
    ("metadata", ["{ a: b }", "{ a: c }"], "metadata.a", V),
    ("pauseUntil", ["'2100-01-01T00:00:00Z'", "'2100-01-01T05:00:00+01:00'"], "pause_until", (2, 11)),
];
const PULL: &[Choice] = &[
    ("maxWaiting", ["10", "20"], "max_waiting", V),
    ("maxRequestBatch", ["10", "20"], "max_batch", V),
    ("maxRequestExpires", ["10s", "20s"], "max_expires", V),
    ("maxRequestMaxBytes", ["1000", "2000"], "max_bytes", V),
];
const PUSH: &[Choice] = &[
    ("deliverGroup", ["g", "h"], "deliver_group", V),
    ("heartbeatInterval", ["5s", "6s"], "idle_heartbeat", V),
    ("rateLimitBps", ["1000", "2000"], "rate_limit_bps", V),
];

/// What stands in a manifest: for each choice, one of its values or nothing.
type Written = Vec<(usize, usize)>;

#[derive(Debug, Clone)]
struct Case {
    stream: Written,
    consumer: Written,
    retention: &'static str,
    policy: &'static str,
    push: bool,
    /// Which of the written fields changes, and whether it goes away.
    change: (prop::sample::Index, bool),
}

fn written(choices: usize) -> impl Strategy<Value = Written> {
    let each = prop::option::weighted(0.35, 0_usize..2);
    prop::collection::vec(each, choices).prop_map(|all| {
        all.into_iter().enumerate().filter_map(|(field, value)| Some((field, value?))).collect()
    })
}

fn case() -> impl Strategy<Value = Case> {
    let policies = prop::sample::select(vec!["explicit", "all", "none"]);
    let retentions = prop::sample::select(vec!["limits", "interest", "workqueue"]);
    let change = (any::<prop::sample::Index>(), any::<bool>());
    (written(STREAM.len()), written(CONSUMER.len() + PULL.len()), retentions, policies, any::<bool>(), change)
        .prop_map(|(stream, consumer, retention, policy, push, change)| {
            // A work queue takes explicit acknowledgements alone.
            let policy = if retention == "workqueue" { "explicit" } else { policy };
            Case { stream, consumer, retention, policy, push, change }
        })
}

fn choices(push: bool) -> Vec<Choice> {
    CONSUMER.iter().chain(if push { PUSH } else { PULL }).copied().collect()
}

/// The fields that take part: known to the server, and legal beside the others.
fn lines(all: &[Choice], written: &Written, case: &Case, version: Version) -> Vec<(Choice, usize)> {
    let known = written.iter().filter_map(|(field, value)| Some((*all.get(*field)?, *value)));
    known
        .filter(|((name, _, _, since), _)| version >= Version(since.0, since.1, 0) && !is_illegal(name, case))
        .collect()
}

fn is_illegal(name: &str, case: &Case) -> bool {
    match name {
        // Nothing is acknowledged, so nothing is waited for.
        "maxAckPending" | "ackWait" | "backoff" | "maxDeliver" => case.policy == "none",
        // Origins come with the messages of another test's stream, which no consumer of these takes.
        "sources" => case.retention != "limits",
        "consumerLimits" => case.policy == "none",
        _ => false,
    }
}

fn spec(lines: &[(Choice, usize)], id: usize) -> String {
    let value = |text: &str| {
        text.replace("$IN", &format!("in{id}"))
            .replace("$TO", &format!("to{id}"))
            .replace("$OUT", &format!("out{id}"))
            .replace("$OTHER", &format!("other{id}"))
    };
    lines.iter().map(|((name, values, ..), index)| format!(", {name}: {}", value(values[*index]))).collect()
}

struct Run<'a> {
    bench: &'a Bench,
    case: &'a Case,
    id: usize,
}

impl Run<'_> {
    fn manifests(&self, stream: &[(Choice, usize)], consumer: &[(Choice, usize)]) -> String {
        let (id, case) = (self.id, self.case);
        let push = if case.push { format!(", deliverSubject: deliver{id}") } else { String::new() };
        let head = format!("name: S{id}, subjects: [in{id}.>, in{id}], retention: {}", case.retention);
        let own = format!("streamName: S{id}, durableName: C, ackPolicy: {}{push}", case.policy);
        text(&(head + &spec(stream, id)), &[&(own + &spec(consumer, id))])
    }

    async fn plan(&self, manifests: &str) -> Plan {
        self.bench.plan(&declared(manifests)).await
    }

    async fn apply(&self, manifests: &str) -> Result<Plan, TestCaseError> {
        let plan = self.plan(manifests).await;
        let applied = self.bench.apply_plan(&plan, ALL).await;
        prop_assert!(
            !applied.iter().any(Applied::is_failure),
            "{manifests}\n{}{}",
            plan.render(),
            render(&applied)
        );
        let second = self.plan(manifests).await;
        prop_assert!(!second.has_differences(), "{manifests}\n{}", second.render());
        Ok(plan)
    }

    async fn run(&self) -> Result<(), TestCaseError> {
        let version = self.bench.version();
        let mut stream = lines(STREAM, &self.case.stream, self.case, version);
        let mut consumer = lines(&choices(self.case.push), &self.case.consumer, self.case, version);
        let before = self.manifests(&stream, &consumer);
        self.apply(&before).await?;
        if let Some(changed) = self.change(&mut stream, &mut consumer) {
            let after = self.manifests(&stream, &consumer);
            let plan = self.plan(&after).await;
            let told = fields(&plan);
            prop_assert!(
                told.iter().any(|field| is(field, changed)),
                "{changed}\n{before}\n{after}\n{}",
                plan.render()
            );
            let others: Vec<_> =
                told.iter().filter(|field| !is(field, changed) && !follows(changed, field)).collect();
            prop_assert!(
                others.is_empty(),
                "{changed} alone was changed\n{before}\n{after}\n{}",
                plan.render()
            );
            prop_assert!(plan.assets.iter().all(|planned| planned.action != Action::Create));
            self.apply(&after).await?;
        }
        let gone = self.bench.api(&format!("STREAM.DELETE.S{}", self.id), json!({})).await;
        prop_assert!(gone.is_ok());
        Ok(())
    }

    /// Changes or removes one of the written fields; says which by the server's name.
    fn change(
        &self,
        stream: &mut Vec<(Choice, usize)>,
        consumer: &mut Vec<(Choice, usize)>,
    ) -> Option<&'static str> {
        let all = stream.len() + consumer.len();
        if all == 0 {
            return None;
        }
        let (index, remove) = &self.case.change;
        let at = index.index(all);
        let (list, at) = if at < stream.len() {
            (stream, at)
        } else {
            let at = at - stream.len();
            (consumer, at)
        };
        let (choice, value) = list[at];
        let (name, values, field, _) = choice;
        // The number of replicas may be written or not: both mean one. An ack wait counts only without a backoff.
        let backoff = list.iter().any(|((name, ..), _)| *name == "backoff");
        if name == "replicas" || (name == "ackWait" && backoff) {
            return None;
        }
        // A marker's time to live brings these with it.
        let marker = list.iter().any(|((name, ..), _)| *name == "subjectDeleteMarkerTtl");
        if marker && matches!(name, "allowMsgTtl" | "allowRollup") {
            return None;
        }
        // A bound below what consumers have is refused.
        let lower = name == "consumerLimits" && value == 1;
        if *remove || lower || values[0] == values[1] {
            list.remove(at);
            // Of a whole object, every leaf goes.
            return Some(field.split(['.', '[']).next().unwrap_or(field));
        }
        list[at] = (choice, 1 - value);
        Some(field)
    }
}

fn is(field: &str, changed: &str) -> bool {
    field == changed || (field.starts_with(changed) && field[changed.len()..].starts_with(['.', '[']))
}

/// What the server derives from a field.
fn follows(changed: &str, field: &str) -> bool {
    match changed {
        "backoff" => field == "ack_wait",
        "subject_delete_marker_ttl" => matches!(field, "allow_msg_ttl" | "allow_rollup_hdrs"),
        "consumer_limits.max_ack_pending" | "consumer_limits" => field == "max_ack_pending",
        "sources" | "max_age" => field == "duplicate_window",
        _ => false,
    }
}

#[test]
fn what_is_applied_is_in_force_and_a_change_is_planned_alone() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = runtime.block_on(async {
        let bench = Bench::start().await;
        bench
            .api("STREAM.CREATE.ORIGIN", json!({ "name": "ORIGIN", "subjects": ["origin.*"] }))
            .await
            .expect("an origin");
        bench
    });
    let started = std::time::Instant::now();
    let id = std::cell::Cell::new(0);
    let config = Config {
        cases: 200,
        max_shrink_iters: 60,
        max_shrink_time: 10_000,
        failure_persistence: None,
        ..Config::default()
    };
    // The same configurations each time; `NATSGATE_RANDOM=1` takes others.
    let mut runner = match std::env::var_os("NATSGATE_RANDOM") {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let result = runner.run(&case(), |case| {
        id.set(id.get() + 1);
        runtime.block_on(Run { bench: &bench, case: &case, id: id.get() }.run())
    });
    eprintln!("200 configurations in {:?}", started.elapsed());
    if let Err(error) = result {
        panic!("{error}");
    }
}
