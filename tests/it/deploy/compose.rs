//! The compose file: what one part of it says of another, and of the Dockerfile, is so.

use serde_json::Value;

use super::{read, root, yaml};
use crate::support::command::natsgate;

fn services() -> Vec<(String, Value)> {
    let compose = yaml("deploy/compose.yaml");
    let services = compose["services"].as_object().expect("services").clone();
    assert!(services.len() >= 7);
    services.into_iter().collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// What one service waits for comes.
#[test]
fn services_wait_for_what_the_others_will_tell() {
    let services = services();
    let dockerfile = read("Dockerfile");
    for (name, service) in &services {
        for (other, wait) in service["depends_on"].as_object().into_iter().flatten() {
            let (_, other) = services.iter().find(|(name, _)| name == other).expect("the other service");
            let own = !other["healthcheck"]["test"].is_null();
            let comes = match wait["condition"].as_str() {
                Some("service_healthy") => own || dockerfile.contains("HEALTHCHECK"),
                Some("service_completed_successfully") => other["restart"] == "no",
                _ => false,
            };
            assert!(comes, "{name}: {wait}");
        }
    }
}

#[test]
fn volumes_and_images_are_there() {
    let compose = yaml("deploy/compose.yaml");
    let dockerfile = read("Dockerfile");
    for (name, service) in services() {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let there = match volume.as_str().and_then(|text| text.split_once(':')) {
                Some((volume, _)) => compose["volumes"].get(volume).is_some(),
                None => root().join("deploy").join(volume["source"].as_str().expect("a source")).exists(),
            };
            assert!(there, "{name}: {volume}");
        }
        let image = service["image"].as_str().expect("an image");
        assert!(image.contains(':') && !image.ends_with(":latest"), "{name}: {image}");
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "{name}: {target}");
            assert!(image.ends_with(":local"), "{name}: {image} could be pulled from somewhere");
        }
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
    }
}

/// Nothing is published to other machines, and the admin listener not at all.
#[test]
fn only_the_public_port_is_published_and_to_this_machine() {
    let ports: Vec<String> = services()
        .iter()
        .flat_map(|(_, service)| texts(&service["ports"]).into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(ports, ["127.0.0.1:8080:8080"]);
}

fn exists(service: &str) {
    let (_, service) = services().into_iter().find(|(name, _)| name == service).expect("the service");
    let mut words = texts(&service["command"]);
    words.push("--help");
    assert_eq!(natsgate(".", &words).code, 0, "{words:?}");
}

#[test]
fn the_gateways_command_exists() {
    exists("gateway");
}

#[test]
fn the_command_that_makes_the_streams_exists() {
    exists("streams");
}

#[test]
fn the_example_services_are_in_their_image() {
    let dockerfile = read("Dockerfile");
    for (name, service) in services() {
        for program in texts(&service["entrypoint"]) {
            let example = program.trim_start_matches("/usr/local/bin/");
            assert!(dockerfile.contains(&format!("--example {example}")), "{name}: {program}");
            assert!(dockerfile.contains(&format!("/out/{example}")), "{name}: {program}");
        }
    }
}
