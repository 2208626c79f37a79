//! `/metrics` as a program reads it: every series with its labels and its value.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::http::Client;

/// One series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) text: String,
    pub(super) series: Vec<Series>,
}

impl Scrape {
    /// Asks the admin listener.
    pub(super) async fn of(admin: &str) -> Scrape {
        let answer = Client::connect(admin).await.send("GET", "/metrics", &[], b"").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let text = String::from_utf8(answer.body).expect("UTF-8");
        let series = text.lines().filter(|line| !line.starts_with('#')).map(series).collect();
        Scrape { text, series }
    }

    /// Asks until a value is there.
    pub(super) async fn until(admin: &str, name: &str, labels: &[(&str, &str)], value: f64) -> Scrape {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let scrape = Scrape::of(admin).await;
            if scrape.value(name, labels) == Some(value) {
                return scrape;
            }
            assert!(Instant::now() < until, "never came: {name}{labels:?} {value}\n{}", scrape.text);
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The value of the one series that has these labels, among others.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |series: &&Series| {
            series.name == name
                && labels.iter().all(|(label, value)| series.labels.get(*label).is_some_and(|is| is == value))
        };
        let found: Vec<&Series> = self.series.iter().filter(has).collect();
        assert!(found.len() < 2, "several series {name}{labels:?}:\n{}", self.text);
        found.first().map(|series| series.value)
    }
}

fn series(line: &str) -> Series {
    let (head, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
    let (name, mut rest) = head.split_once('{').unwrap_or((head, "}"));
    let mut labels = BTreeMap::new();
    while rest != "}" {
        let (label, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        let (value, after) = unquoted(quoted);
        labels.insert(label.to_owned(), value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Series { name: name.to_owned(), labels, value: value.parse().unwrap_or_else(|_| panic!("{line}")) }
}

/// What stands before the closing quote, and what after it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => {
                value.extend(chars.next().map(|(_, escaped)| if escaped == 'n' { '\n' } else { escaped }));
            }
            plain => value.push(plain),
        }
    }
    panic!("no end of {text}")
}
