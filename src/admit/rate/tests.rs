//! Whose requests a rate counts together.

use std::num::NonZeroU32;
use std::time::Duration;

use super::*;
use crate::expression::Position;
use crate::expression::fixture::{ANY, Fixture};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2));

/// Two at once, and then one in half an hour.
fn limit(per: Per) -> RateLimit {
    let two = NonZeroU32::new(2).unwrap();
    RateLimit::new("x", Arc::new(Limiter::new(two, Duration::from_secs(3600), two)), per)
}

/// How many of three requests pass.
fn passed(limit: &RateLimit, ip: IpAddr, caller: Option<&str>) -> usize {
    let fixture = Fixture::new();
    let mut told = None;
    (0..3).filter(|_| limit.after(ip, caller, &fixture.scope(), &mut told).is_ok()).count()
}

#[test]
fn a_caller_is_counted_wherever_it_is_and_an_address_where_nobody_is_known() {
    let limit = limit(Per::Caller);
    assert_eq!((passed(&limit, ADDRESS, Some("ada")), passed(&limit, OTHER, Some("ada"))), (2, 0));
    assert_eq!((passed(&limit, ADDRESS, Some("bob")), passed(&limit, ADDRESS, None)), (2, 2));
    assert_eq!((passed(&limit, ADDRESS, None), passed(&limit, OTHER, None)), (0, 2));
}

#[test]
fn a_value_is_counted_for_whoever_has_it_and_without_one_it_is_the_caller() {
    let of = |text: &str| limit(Per::Value(Template::compile(text, Position::Request, &ANY).unwrap()));
    let limit = of("${path.id}");
    assert_eq!((passed(&limit, ADDRESS, Some("ada")), passed(&limit, OTHER, Some("bob"))), (2, 0));
    for absent in ["${header.?x-lacking}", "${header.x-lacking}", "${header.?lacking.orValue(\"\")}"] {
        let limit = of(absent);
        assert_eq!((passed(&limit, ADDRESS, Some("ada")), passed(&limit, OTHER, Some("ada"))), (2, 0));
        assert_eq!((passed(&limit, ADDRESS, Some("bob")), passed(&limit, ADDRESS, None)), (2, 2));
    }
}

#[test]
fn who_fails_to_say_who_it_is_may_try_as_often_as_it_may_ask() {
    let limit = limit(Per::Caller);
    let mut told = None;
    for _ in 0..2 {
        assert!(limit.before(ADDRESS, &mut told).is_ok());
        limit.failed(ADDRESS);
    }
    assert_eq!(told, None, "nothing is told of what is not the caller's quota");
    let refused = limit.before(ADDRESS, &mut told).unwrap_err();
    assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(1800)));
    assert!(told.is_some());
    assert!(limit.before(OTHER, &mut told).is_ok());
    assert_eq!(passed(&limit, ADDRESS, Some("ada")), 2, "failures are no requests of anybody");
}

#[test]
fn by_address_everybody_is_counted_before_anybody_is_asked() {
    let limit = limit(Per::Ip);
    let mut told = None;
    let passes: Vec<bool> = (0..3).map(|_| limit.before(ADDRESS, &mut told).is_ok()).collect();
    assert_eq!(passes, [true, true, false]);
    limit.failed(OTHER);
    assert_eq!(passed(&limit, ADDRESS, Some("ada")), 3, "and nobody a second time");
    assert!(limit.before(OTHER, &mut told).is_ok());
    assert_eq!(told.map(|standing| standing.remaining), Some(1), "a failure is not counted twice");
}

#[test]
fn an_ipv6_address_is_counted_with_its_neighbours() {
    let of = |text: &str| network(text.parse().unwrap());
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(of("10.0.0.1"), of("::ffff:10.0.0.1"));
    assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
}

#[test]
fn a_name_becomes_a_string_of_a_structured_field() {
    for (name, expected) in [
        ("assignUserRole", r#""assignUserRole""#),
        ("GET /users/{id}", r#""GET /users/{id}""#),
        (r#"a"b\c"#, r#""a\"b\\c""#),
        ("caf\u{e9}\r\nx", r#""cafx""#),
    ] {
        assert_eq!(quoted(name), expected);
    }
}
