//! What `natsgate explain` says of requests that a legacy service has, or may have.

use crate::support::command::natsgate;
use crate::support::golden;

fn explain(args: &[&str]) -> String {
    let config = ["--config", "tests/migrate/natsgate.yaml"];
    natsgate(".", &[&["explain"], args, &config].concat()).stdout
}

/// Without what differs from run to run.
fn masked(text: &str) -> String {
    let varies =
        ["x-request-id", "Natsgate-Request-Id", "Natsgate-Deadline", "Natsgate-Timeout-Ms", "traceparent"];
    let masked = |line: &str| {
        let name = varies.into_iter().find(|name| line.contains(&format!("{name}: ")));
        name.map_or_else(|| line.to_owned(), |name| format!("  header     {name}: <varies>"))
    };
    text.lines().map(|line| masked(line) + "\n").collect()
}

#[test]
fn every_stage_says_which_side_it_is_and_what_both_would_get() {
    let mut all = String::new();
    for args in [
        &[
            "GET",
            "/forward/1?x=y",
            "-H",
            "Host: api.example.com",
            "-H",
            "Connection: x-gone",
            "-H",
            "X-Gone: 1",
        ][..],
        &["GET", "/nobody/binds/this"],
        &["GET", "/shadow/1"],
        &["GET", "/canary/ada"],
        &["GET", "/canary/7", "-H", "Natsgate-Side: nats"],
        &["GET", "/canary/7?test=yes", "-H", "Natsgate-Side: nats"],
        &["GET", "/mirror/1"],
        &["POST", "/nats", "-H", "Content-Type: application/json", "-d", "{}"],
    ] {
        let shown: Vec<&str> = args.iter().map(|arg| if arg.contains(' ') { "'…'" } else { arg }).collect();
        all.push_str(&format!("$ natsgate explain {}\n{}\n", shown.join(" "), masked(&explain(args))));
    }
    golden::assert("tests/migrate/explain.txt", &all);
}

#[test]
fn machines_read_it_too() {
    let config = ["--config", "tests/migrate/natsgate.yaml", "--output", "json"];
    let told = natsgate(".", &[&["explain", "GET", "/shadow/1"], &config[..]].concat()).json();
    assert_eq!(told["turn"]["side"], "legacy");
    assert_eq!(told["forward"]["url"], "http://legacy.internal:8000/v1/shadow/1");
    assert_eq!(told["forward"]["headers"]["host"], "legacy.internal:8000");
    assert_eq!(told["request"]["subject"], "shadow.1");
}

#[test]
fn a_check_sums_up_what_goes_where() {
    let run = |more: &[&str]| {
        natsgate(".", &[&["check", "--config", "tests/migrate/natsgate.yaml"], more].concat())
    };
    golden::assert("tests/migrate/check.txt", &run(&[]).stdout);
    let told = run(&["--output", "json"]).json();
    assert_eq!(
        (&told["operations"], &told["forwards"], &told["fallback"]),
        (&6.into(), &1.into(), &"old".into())
    );
    assert_eq!(told["migrations"][1]["stage"], "canary");
    assert_eq!(told["migrations"][1]["percent"], 5.0);
}
