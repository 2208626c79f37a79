//! `natsgate explain`.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::load::load_or_tell;
use super::{ConfigArgs, DONE, FAILED, INVALID, Output};
use crate::config::Overrides;
use crate::gateway::explain::{Refused, explain};
use crate::head::{Head, TrustedProxies};
use crate::json::{Document, Kind};
use crate::problem::Problem;

/// A request that is not sent.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// HTTP method.
    #[arg(value_parser = method)]
    method: http::Method,
    /// Path, with its query.
    #[arg(value_parser = path)]
    path: http::Uri,
    /// A request header, `Name: value`. May be given several times.
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; `@FILE` reads it from a file, `@-` from standard input.
    #[arg(short, long, value_name = "BODY")]
    data: Option<String>,
    /// The claims of the caller's token, as a JSON object: `{"sub": "ada"}`. Nobody verifies them. Without them nobody
    /// calls.
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) async fn run(args: ExplainArgs) -> anyhow::Result<u8> {
    let overrides = Overrides { nats: args.config.nats.clone(), ..Overrides::default() };
    let Some(loaded) = load_or_tell(&args.config.config, &overrides) else { return Ok(INVALID) };
    let claims = args.claims.as_deref().map(claims).transpose()?;
    let (parts, body) = request(&args)?.into_parts();
    let head = Head::new(parts, IpAddr::V4(Ipv4Addr::LOCALHOST), &TrustedProxies::default());
    match explain(&loaded.table, &head, body, claims).await {
        Ok(explained) => {
            match args.output {
                Output::Json => println!("{explained:#}"),
                Output::Text => print!("{}", text(&explained)),
            }
            Ok(DONE)
        }
        Err(refused) => {
            let Refused { problem, response, access } = *refused;
            let access = access.unwrap_or_default();
            let status = response.status();
            let body = response.into_body().collect().await.unwrap_or_default().to_bytes();
            match args.output {
                Output::Json => {
                    let mut document = json!({ "refused": refusal(&problem, status, &body) });
                    if !access.is_null() {
                        document["access"] = access;
                    }
                    println!("{document:#}");
                }
                Output::Text => print!("{}{}", refusal_text(&problem, status, &body), access_text(&access)),
            }
            Ok(FAILED)
        }
    }
}

fn request(args: &ExplainArgs) -> anyhow::Result<Request<Full<Bytes>>> {
    let body = match args.data.as_deref() {
        None => Vec::new(),
        Some("@-") => {
            let mut body = Vec::new();
            std::io::stdin().read_to_end(&mut body)?;
            body
        }
        Some(data) => match data.strip_prefix('@') {
            Some(path) => std::fs::read(path).with_context(|| format!("cannot read {path}"))?,
            None => data.as_bytes().to_vec(),
        },
    };
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = args.method.clone();
    *request.uri_mut() = args.path.clone();
    for (name, value) in &args.headers {
        request.headers_mut().append(name, value.clone());
    }
    Ok(request)
}

fn claims(text: &str) -> anyhow::Result<Document> {
    let document = Document::parse(Bytes::copy_from_slice(text.as_bytes())).context("--claims is no JSON")?;
    anyhow::ensure!(
        document.root().kind() == Kind::Object,
        "--claims is no JSON object: {{\"sub\": \"ada\"}}"
    );
    Ok(document)
}

fn refusal(problem: &Problem, status: StatusCode, body: &[u8]) -> Value {
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    json!({
        "status": status.as_u16(),
        "code": problem.code.name(),
        "outcome": problem.outcome().name(),
        "body": serde_json::from_slice(body).unwrap_or_else(|_| text()),
        "cause": problem.cause,
    })
}

fn refusal_text(problem: &Problem, status: StatusCode, body: &[u8]) -> String {
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(document) => format!("{document:#}"),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let mut out =
        format!("nothing would be sent: the client gets {status} ({})\n{body}\n", problem.code.name());
    if let Some(cause) = &problem.cause {
        out.push_str(&format!("cause, only in the log: {cause}\n"));
    }
    out
}

fn line(name: &str, value: &Value) -> String {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{name:<12} {value}\n")
}

/// Who may call, and who does here.
fn access_text(access: &Value) -> String {
    let lines = [("access", "demands"), ("authorize", "authorize"), ("caller", "caller")];
    lines
        .iter()
        .filter(|(_, key)| !access[key].is_null())
        .map(|(name, key)| line(name, &access[key]))
        .collect()
}

/// Which side it is for, and what the legacy one gets.
fn legacy_text(explained: &Value) -> String {
    let mut out = String::new();
    for name in ["side", "why", "copy"] {
        if let Some(value) = explained["turn"].get(name).filter(|value| !value.is_null()) {
            out.push_str(&line(name, value));
        }
    }
    for (name, side) in [("forward_refused", "legacy"), ("nats_refused", "nats")] {
        if let Some(refused) = explained.get(name) {
            let why = [&refused["code"], &refused["detail"]].map(|text| text.as_str().unwrap_or_default());
            out.push_str(&line(side, &format!("would get nothing: {}: {}", why[0], why[1]).into()));
        }
    }
    if let Some(forward) = explained.get("forward") {
        let text = |name: &str| forward[name].as_str().unwrap_or_default();
        out.push_str(&line("upstream", &forward["upstream"]));
        let idle = idle(explained, "nats");
        out.push_str(&line("forward", &format!("{} {}{idle}", text("method"), text("url")).into()));
        out.push_str(&message_text(forward));
    }
    out
}

/// Said behind what is sent only if the request is not for the other side.
fn idle(explained: &Value, other: &str) -> &'static str {
    let turn = &explained["turn"];
    match (turn["side"] == other, turn["copy"].is_null()) {
        (true, true) => "  (not sent: it is for the other side)",
        (true, false) => "  (of a copy)",
        _ => "",
    }
}

/// Its headers and its payload.
fn message_text(message: &Value) -> String {
    let mut out = String::new();
    for (name, value) in message["headers"].as_object().into_iter().flatten() {
        let header = format!("{name}: {}", value.as_str().unwrap_or_default());
        out.push_str(&line("  header", &header.into()));
    }
    let payload = match &message["payload"] {
        Value::String(text) if text.is_empty() => &Value::from("(empty)"),
        payload => payload,
    };
    out.push_str(&line("  payload", payload));
    out
}

fn text(explained: &Value) -> String {
    let mut out = String::new();
    for name in ["operation", "answer", "stream", "message_id", "timeout_ms"] {
        if let Some(value) = explained.get(name) {
            out.push_str(&line(name, value));
        }
    }
    out.push_str(&access_text(&explained["access"]));
    out.push_str(&legacy_text(explained));
    for kind in ["request", "publish"] {
        let Some(message) = explained.get(kind) else { continue };
        let subject = message["subject"].as_str().unwrap_or_default();
        out.push_str(&line(kind, &format!("{subject}{}", idle(explained, "legacy")).into()));
        out.push_str(&message_text(message));
    }
    out
}

/// The usual methods are taken in lower case too.
fn method(text: &str) -> Result<http::Method, String> {
    text.to_ascii_uppercase().parse().map_err(|_| "write a method: GET, POST, PUT, PATCH, DELETE".to_owned())
}

fn path(text: &str) -> Result<http::Uri, String> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/"),
        None => text,
    };
    if !text.starts_with('/') {
        return Err(format!("write the path from its first slash: /{}", path.trim_start_matches('/')));
    }
    text.parse().map_err(|error| format!("{error}: percent-encode what a path cannot hold"))
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write `Name: value`")?;
    let name = name.trim().parse().map_err(|_| "the name is no legal header name".to_owned())?;
    let value = value.trim().parse().map_err(|_| "the value is not visible ASCII".to_owned())?;
    Ok((name, value))
}
