//! What the command line teaches: help by example, and completions that shells can use.

use std::process::Command;

use crate::support::command::natsgate;

/// Every command, those of `streams` and `migration` too.
fn commands() -> Vec<Vec<String>> {
    let listed = |words: &[&str]| {
        let help = natsgate(".", &[words, &["--help"]].concat()).stdout;
        let list = help.split("Commands:\n").nth(1).unwrap_or_default().lines().map(str::to_owned);
        let lines = list.take_while(|line| !line.is_empty());
        let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        names.filter(|name| name != "help").collect::<Vec<_>>()
    };
    let top = listed(&[]);
    let below = ["streams", "migration"].into_iter().flat_map(|above| {
        listed(&[above]).into_iter().map(move |name| vec![above.to_owned(), name]).collect::<Vec<_>>()
    });
    top.into_iter().map(|name| vec![name]).chain(below).collect()
}

#[test]
fn every_command_teaches_by_example() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for words in commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = natsgate(".", &[&words[..], &["--help"]].concat()).stdout;
        let example = format!("natsgate {}", words.join(" "));
        let examples = help.split("Example").nth(1).unwrap_or_default();
        assert!(examples.contains(&example), "no example of `{example}`:\n{help}");
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let script = natsgate(".", &["completions", "bash"]).stdout;
    let complete = |words: &str, at: usize| {
        let program = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}; _natsgate natsgate \"${{COMP_WORDS[{at}]}}\" x; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["--norc", "-c", &program]).output().expect("bash runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(complete("natsgate str", 1), "streams");
    assert_eq!(complete("natsgate streams dr", 2), "drift");
    assert_eq!(complete("natsgate serve --log-f", 2), "--log-format");
}

#[test]
fn other_shells_get_theirs() {
    for (shell, sign) in [("zsh", "#compdef natsgate"), ("fish", "complete -c natsgate")] {
        let run = natsgate(".", &["completions", shell]);
        assert!(
            run.code == 0 && run.stdout.contains(sign) && run.stdout.contains("hash-key"),
            "{}",
            run.stdout
        );
    }
}
