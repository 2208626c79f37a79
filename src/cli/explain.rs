//! `natsgate explain`.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::load::load_or_tell;
use super::{DONE, ExplainArgs, FAILED, INVALID, Output};
use crate::config::Overrides;
use crate::gateway::explain::explain;
use crate::head::Head;

pub(super) async fn run(args: ExplainArgs) -> anyhow::Result<u8> {
    let overrides = Overrides { nats: args.config.nats.clone(), ..Overrides::default() };
    let Some(loaded) = load_or_tell(&args.config.config, &overrides) else { return Ok(INVALID) };
    let (parts, body) = request(&args)?.into_parts();
    let head = Head::new(parts, IpAddr::V4(Ipv4Addr::LOCALHOST));
    match explain(&loaded.table, &head, body).await {
        Ok(explained) => {
            match args.output {
                Output::Json => println!("{explained:#}"),
                Output::Text => print!("{}", text(&explained)),
            }
            Ok(DONE)
        }
        Err(problem) => {
            let body: Value = serde_json::from_slice(&problem.body(head.id.as_str())).unwrap_or_default();
            match args.output {
                Output::Json => println!("{:#}", json!({ "problem": body })),
                Output::Text => {
                    println!("nothing would be sent: the client gets {}\n{body:#}", problem.status());
                    if let Some(cause) = &problem.cause {
                        println!("cause (only in the log): {cause}");
                    }
                }
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
    let mut request = Request::builder().method(args.method.clone()).uri(args.path.clone());
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').with_context(|| format!("write `Name: value`, not `{header}`"))?;
        request = request.header(name.trim(), value.trim());
    }
    Ok(request.body(Full::new(Bytes::from(body)))?)
}

fn text(explained: &Value) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!("{name:<12} {value}\n"));
    };
    for name in ["operation", "answer", "stream", "message_id", "timeout_ms"] {
        if let Some(value) = explained.get(name) {
            line(name, value);
        }
    }
    for kind in ["request", "publish"] {
        let Some(message) = explained.get(kind) else { continue };
        line(kind, &message["subject"]);
        for (name, value) in message["headers"].as_object().into_iter().flatten() {
            line("  header", &Value::String(format!("{name}: {}", value.as_str().unwrap_or_default())));
        }
        line("  payload", &message["payload"]);
    }
    out
}
