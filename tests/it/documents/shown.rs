//! `docs/streams.md` shows files, and what natsgate says about them: both are so.

use std::path::Path;

use super::markdown::{Fragment, fragments};
use super::read;
use crate::support::command::natsgate;
use crate::support::nats_server::NatsServer;

/// The server that the guide uses; that of a test has another port.
const SHOWN: &str = "nats://127.0.0.1:4222";

/// Follows a document from its top: a file with a name is written, a command that is shown is run. What differs from
/// what is shown, and how many commands there were.
fn follow(text: &str, folder: &Path, server: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut commands) = (Vec::new(), 0);
    for Fragment { language, name, line, text } in fragments(text) {
        if let (Some(name), "yaml") = (name, language.as_str()) {
            std::fs::write(folder.join(name), text).expect("a file");
        } else if let Some((command, shown)) =
            text.strip_prefix("$ natsgate ").and_then(|rest| rest.split_once('\n'))
        {
            commands += 1;
            let words = command.split_whitespace().map(|word| if word == SHOWN { server } else { word });
            let words: Vec<_> = words.collect();
            let run = natsgate(folder.to_str().expect("UTF-8"), &words);
            let said = format!("{}{}", run.stderr, run.stdout);
            if said != shown {
                wrong.push(format!("line {line}: {command}\n{said}"));
            }
        }
    }
    (wrong, commands)
}

#[tokio::test]
async fn what_the_guide_to_streams_shows_is_what_natsgate_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = NatsServer::start().await;
    let (wrong, commands) = follow(&read("docs/streams.md"), folder.path(), &server.url());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands >= 14, "only {commands} commands were found");
}

#[test]
fn what_has_rotted_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let rotten = "`a.yaml`:\n\n```yaml\nkind: x\n```\n\n```\n$ natsgate streams lint a.yaml\n1 stream, 0 consumers\n```\n";
    let (wrong, commands) = follow(rotten, folder.path(), SHOWN);
    assert_eq!((wrong.len(), commands), (1, 1));
    assert!(wrong[0].contains("line 8: streams lint a.yaml\nwarning: `a.yaml` declares"), "{}", wrong[0]);
}
