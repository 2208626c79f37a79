//! `natsgate explain`: what would be sent, or what the client gets instead.

use crate::support::command::{natsgate, natsgate_reading};
use crate::support::golden;

const ROLES: &str = "/users/ada/roles";

/// Runs `explain` on the configuration of the repository.
fn explain(args: &[&str]) -> String {
    mask(&natsgate(".", &[&["explain"], args].concat()).seen())
}

/// Replaces what differs from run to run: request ids, traces, times.
fn mask(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let cut = [
            "Natsgate-Deadline\": \"",
            "Natsgate-Deadline: ",
            "Natsgate-Timeout-Ms\": \"",
            "Natsgate-Timeout-Ms: ",
        ]
        .iter()
        .find_map(|name| line.find(name).map(|at| at + name.len()));
        match cut {
            Some(at) => {
                let end = line[at..].find('"').map_or(line.len(), |length| at + length);
                out.push_str(&format!("{}<varies>{}", &line[..at], &line[end..]));
            }
            None => mask_ids(line, &mut out),
        }
        out.push('\n');
    }
    out
}

/// A run of hexadecimal digits and hyphens that is as long as an id is one.
fn mask_ids(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit() || c == '-') {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(tail.len());
        let (run, behind) = tail.split_at(end);
        out.push_str(before);
        out.push_str(match run.len() {
            36 => "<request id>",
            55 => "<trace>",
            _ => run,
        });
        rest = behind;
    }
    out.push_str(rest);
}

#[test]
fn a_request_a_publish_and_a_refusal() {
    let role = ["POST", ROLES, "-H", "Content-Type: application/json", "-d", "{\"roleId\": \"editor\"}"];
    let stack = ["DELETE", "/infra/5f2b/run-7", "-H", "Idempotency-Key: k"];
    let refused = ["POST", ROLES, "-d", "{\"roleId\": 1, \"roleId\": 2}"];
    let json = ["--output", "json"];
    let mut text = String::new();
    for args in [&role[..], &stack, &refused, &["OPTIONS", "/infra/5f2b/run-7"], &["GET", "/nowhere"]] {
        for args in [args.to_vec(), [args, &json].concat()] {
            text.push_str(&format!("$ natsgate explain {}\n{}\n", args.join(" "), explain(&args)));
        }
    }
    golden::assert("tests/diagnostics/explain.expected", &text);
}

#[test]
fn a_problem_case_is_applied_as_for_a_real_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = "operations:
  POST /jobs:
    publish: { subject: jobs, stream: JOBS, idempotency: required }
    problem: [{ status: 200, content_type: text/plain, body: \"failed: ${problem.code}\" }]
";
    std::fs::write(folder.path().join("natsgate.yaml"), yaml).expect("a configuration");
    let folder = folder.path().to_str().expect("UTF-8");
    let run = natsgate(folder, &["explain", "--config", "natsgate.yaml", "POST", "/jobs"]);
    let expected = "nothing would be sent: the client gets 200 OK (idempotency_key_required)
failed: idempotency_key_required
exit code 1
";
    assert_eq!(run.seen(), expected);
}

#[test]
fn bytes_are_shown_as_they_would_be_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("natsgate.yaml"),
        "operations:\n  POST /a: { request: { subject: a } }\n",
    )
    .expect("a configuration");
    std::fs::write(folder.path().join("body"), "[1.10,  2]").expect("a body");
    let folder = folder.path().to_str().expect("UTF-8");
    let explain = |data: &str, input: &str| {
        let args = ["explain", "--config", "natsgate.yaml", "POST", "/a", "-d", data, "--output", "json"];
        let run = natsgate_reading(folder, &args, input);
        assert_eq!(run.code, 0, "{}", run.seen());
        run.json()["request"].clone()
    };
    assert_eq!(explain("{\"a\":1}", "")["payload"]["a"], 1);
    for (data, input, bytes) in
        [("{\"a\":1,\"a\":2}", "", "{\"a\":1,\"a\":2}"), ("@body", "", "[1.10,  2]"), ("@-", "x\n", "x\n")]
    {
        let request = explain(data, input);
        assert_eq!(request["payload"], bytes);
        assert_eq!(request["bytes"], bytes.len());
    }
    assert!(
        explain("", "")["headers"]["Natsgate-Timeout-Ms"].is_string(),
        "also what is added when it is sent"
    );
    let nothing = natsgate(folder, &["explain", "--config", "natsgate.yaml", "post", "/a"]);
    assert!(nothing.stdout.ends_with("  payload    (empty)\n"), "{}", nothing.seen());
}

#[test]
fn what_cannot_be_a_request_is_a_usage_error() {
    for (args, next) in [
        (&["GET", "users"][..], "write the path from its first slash: /users"),
        (&["GET", "/a b"], "percent-encode"),
        (&["GET", "http://edge:8080/users?a=b"], "write the path from its first slash: /users?a=b"),
        (&["G T", "/"], "write a method: GET, "),
        (&["GET", "/", "-H", "X"], "write `Name: value`"),
        (&["GET", "/", "-H", "X Y: z"], "no legal header name"),
    ] {
        let run = natsgate(".", &[&["explain"], args].concat());
        assert_eq!(run.code, 2, "{}", run.seen());
        assert!(run.stderr.contains(next), "{}", run.seen());
    }
    let run = natsgate(".", &["explain", "GET", "/", "-d", "@not-there"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: cannot read not-there: "), "{}", run.seen());
}
