use http::{HeaderMap, HeaderValue, StatusCode};

use super::super::compare::{Comparison, Rule};
use super::*;

const HOUR: Window = Window { span: 3600 };

fn pair(legacy: (u16, &'static str), nats: (u16, &'static str), millis: u64) -> Pair {
    let answer = |(status, body): (u16, &'static str)| Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::from_iter([(
            "content-type".parse().unwrap(),
            HeaderValue::from_static("application/json"),
        )]),
        body: Some(body.into()),
        code: None,
        took: Duration::from_millis(millis),
    };
    Pair { served: Side::Legacy, primary: Some(answer(legacy)), candidate: Some(answer(nats)), noise: false }
}

/// Some pairs of each kind, one each second.
fn pairs() -> Vec<(u64, Pair)> {
    let kinds = |at: u64| match at % 5 {
        0 => pair((200, r#"{"a":1}"#), (200, r#"{"a":1}"#), at),
        1 => pair((200, r#"{"a":1}"#), (200, r#"{"a":2}"#), at * 2),
        2 => pair((404, "{}"), (500, "{}"), at),
        3 => Pair { candidate: None, ..pair((200, "{}"), (200, "{}"), at) },
        _ => Pair { noise: true, ..pair((200, r#"{"t":1}"#), (200, r#"{"t":2}"#), at) },
    };
    (10_000..10_400).map(|at| (at, kinds(at))).collect()
}

fn add(summary: &mut Summary, (at, pair): &(u64, Pair)) {
    let verdict = Comparison::default().judge(pair);
    summary.add(pair, &verdict, HOUR, *at);
}

#[test]
fn two_instances_add_up_to_one() {
    let (mut all, mut one, mut other) = (Summary::default(), Summary::default(), Summary::default());
    for (index, pair) in pairs().iter().enumerate() {
        add(&mut all, pair);
        add(if index % 3 == 0 { &mut one } else { &mut other }, pair);
    }
    one.merge(&other);
    one.rows.sort_by(|a, b| a.pointers.cmp(&b.pointers));
    all.rows.sort_by(|a, b| a.pointers.cmp(&b.pointers));
    assert_eq!(one, all);
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), all, "as it is stored");
    assert!(text.len() < 8000, "{} bytes", text.len());
    let rows: Vec<_> = all.rows.iter().map(|row| (row.pointers.join(" "), row.count())).collect();
    assert_eq!(rows, [("/a".to_owned(), 80), ("status".to_owned(), 80)]);
    assert_eq!(all.noise["/t"].values().sum::<u64>(), 80);
}

#[test]
fn what_is_old_is_left_out() {
    let mut summary = Summary::default();
    pairs().iter().for_each(|pair| add(&mut summary, pair));
    let before = summary.clone();
    summary.prune(HOUR, 10_400 + 3600 - 400);
    assert_eq!(summary, before, "all of it is in the window");
    summary.prune(HOUR, 10_200 + 3600 + 74);
    let compared: u64 = summary.slots.values().map(Slot::compared).sum();
    assert_eq!(compared, 160);
    assert_eq!(summary.began, 10_000, "evidence has been gathered since then");
    summary.prune(HOUR, 20_000);
    assert_eq!(summary, Summary::default());
}

#[test]
fn there_is_a_bounded_number_of_everything() {
    let mut summary = Summary::default();
    let mut comparison = Comparison::default();
    comparison.rule("/x", Rule::Ignore).unwrap();
    for at in 0..200_u64 {
        let differing = format!("{{\"abc{at}\":1}}");
        let mut pair = pair((200, "{}"), (200, "{}"), 1);
        if let Some(answer) = &mut pair.candidate {
            answer.body = Some(differing.into());
            answer.status = StatusCode::from_u16(300 + at as u16).unwrap();
        }
        for noise in [false, true] {
            pair.noise = noise;
            let verdict = comparison.judge(&pair);
            summary.add(&pair, &verdict, Window::new(Duration::from_secs(1)), at);
        }
        summary.writers.insert(format!("i{at}"), Writer { number: 1, at });
    }
    let mut other = summary.clone();
    other.rows.iter_mut().for_each(|row| row.pointers.push("z".to_owned()));
    summary.merge(&other);
    summary.prune(Window::new(Duration::from_secs(100_000)), 200);
    assert!(summary.slots.len() <= 56 && summary.rows.len() == 64 && summary.noise.len() <= 64);
    assert_eq!(summary.writers.len(), 64);
    assert!(summary.writers.contains_key("i199") && !summary.writers.contains_key("i0"));
    let of = |count: fn(&Slot) -> u64| summary.slots.values().map(count).sum::<u64>();
    let rows: u64 = summary.rows.iter().map(Found::count).sum();
    assert_eq!((of(|slot| slot.mismatched), of(|slot| slot.without_row)), (400, 400 - rows));
}
