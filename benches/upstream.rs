//! The legacy service of the benchmark: it answers `POST` with the bytes that were sent, and `GET /bytes/N` with so many.
//! What is sent to `/count` is read and thrown away, and its length told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::sleep;

const CHUNK: usize = 64 << 10;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
    /// Milliseconds until a request is answered.
    #[arg(long, default_value_t = 0)]
    delay: u64,
}

// One thread: the cores belong to the programs that are compared.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { listen, delay } = Arguments::parse();
    let delay = Duration::from_millis(delay);
    let listener = TcpListener::bind(listen).await.context("cannot listen")?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = service_fn(move |request| answer(request, delay));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(request: Request<Incoming>, delay: Duration) -> Result<Response<Given>, hyper::Error> {
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let path = request.uri().path();
    let given = if let Some(length) = path.strip_prefix("/bytes/") {
        Given::Zeros(length.parse().unwrap_or(0))
    } else if path == "/count" {
        let (mut body, mut length) = (request.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, Bytes::len);
        }
        Given::Whole(Full::new(length.to_string().into()))
    } else {
        Given::Whole(Full::new(request.into_body().collect().await?.to_bytes()))
    };
    Ok(Response::new(given))
}

/// A body.
enum Given {
    Whole(Full<Bytes>),
    /// So many bytes more.
    Zeros(u64),
}

impl Body for Given {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Given::Whole(body) => Pin::new(body).poll_frame(context),
            Given::Zeros(0) => Poll::Ready(None),
            Given::Zeros(left) => {
                let some = (*left).min(CHUNK as u64);
                *left -= some;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS[..some as usize])))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Given::Zeros(0))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Given::Whole(body) => body.size_hint(),
            Given::Zeros(left) => SizeHint::with_exact(*left),
        }
    }
}
