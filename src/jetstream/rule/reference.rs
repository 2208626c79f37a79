//! The table as a page for people: `docs/lint.md`.

use std::fmt::Write as _;

use super::{Rule, Topic, all};
use crate::diagnostic::Severity;

const HEAD: &str =
    "<!-- Generated from src/jetstream/rule/table.rs; a test keeps it current (UPDATE_GOLDEN=1 rewrites it). -->

# Rules of `natsgate streams lint`

The rules that `natsgate streams lint` and `natsgate check` hold manifests against; [streams.md](streams.md) shows them at
work. A finding names its rule: `error[ack-wait-missing]: …`. `--allow ack-wait-missing` keeps quiet about one.

An error cannot work, or never does what is written; a warning works, and probably not as meant. The number is the
`err_code` with which the server refuses. Where there is none the server accepts it, and the mistake shows at run time.
";

/// The page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for &topic in Topic::ALL {
        let _ =
            write!(page, "\n## {}\n\n| rule | | refused | why |\n| --- | --- | --- | --- |\n", topic.title());
        all().filter(|rule| rule.topic == topic).for_each(|rule| row(&mut page, rule));
    }
    page
}

fn row(page: &mut String, rule: &Rule) {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let refused = rule.refused.map(|code| code.to_string()).unwrap_or_default();
    let _ = writeln!(page, "| `{}` | {severity} | {refused} | {} |", rule.name, rule.why);
}
