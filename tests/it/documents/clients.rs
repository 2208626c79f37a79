//! `docs/clients.md` shows pieces of the examples: what it shows is what stands there. Its commands `make interop` runs.

use super::markdown::{Fragment, fragments};
use super::read;

/// What is shown of a file and does not stand there, line by line in a row.
fn astray(document: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for Fragment { name, line, text, .. } in fragments(document) {
        let Some(name) = name else { continue };
        seen += 1;
        if !read(&name).contains(&text) {
            wrong.push(format!("line {line}: not so in {name}"));
        }
    }
    (wrong, seen)
}

#[test]
fn what_the_guide_to_clients_shows_stands_in_the_examples() {
    let (wrong, seen) = astray(&read("docs/clients.md"));
    assert_eq!(wrong, Vec::<String>::new());
    assert!(seen >= 8, "only {seen} pieces were found");
}

#[test]
fn a_piece_that_has_changed_is_found() {
    let rotten = "`examples/python/client.py`:\n\n```python\ndef expect(kind, answer, more):\n```\n";
    assert_eq!(astray(rotten), (vec!["line 4: not so in examples/python/client.py".to_owned()], 1));
}
