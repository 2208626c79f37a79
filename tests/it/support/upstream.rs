//! A legacy service that does exactly what it is told, byte for byte, and remembers what it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

const PATIENCE: Duration = Duration::from_secs(30);

/// A listening service.
pub(crate) struct Upstream {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    state: Arc<State>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct State {
    connections: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

/// One request, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// The head, without the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// The values of a field, in their order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    pub(crate) fn first_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// One connection to it.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    state: Arc<State>,
}

impl Upstream {
    /// One that does this with every connection.
    pub(crate) async fn start<F, D>(script: F) -> Upstream
    where
        F: Fn(Peer) -> D + Send + Sync + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("no delay");
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let peer = Peer { stream, buffer: Vec::new(), state: Arc::clone(&shared) };
                let task = tokio::spawn(script(peer));
                shared.tasks.lock().unwrap().push(AbortOnDropHandle::new(task));
            }
        });
        Upstream { url, state, _accepting: AbortOnDropHandle::new(accepting) }
    }

    /// One that reads every request whole and answers it so.
    pub(crate) async fn answering(answer: &str) -> Upstream {
        let answer = answer.as_bytes().to_vec();
        Upstream::start(move |mut peer| {
            let answer = answer.clone();
            async move { while peer.request().await.is_some() && peer.write(&answer).await {} }
        })
        .await
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// `upstreams:` with this one alone, and a fallback to it.
    pub(crate) fn fallback(&self, more: &str) -> String {
        format!("upstreams:\n  legacy: {{ url: \"{}\"{more} }}\nfallback: {{ upstream: legacy }}\n", self.url)
    }
}

impl Peer {
    /// The next request, with its whole body; `None` at the end.
    pub(crate) async fn request(&mut self) -> Option<Seen> {
        let head = self.head().await?;
        let mut seen = Seen { head, body: Vec::new() };
        if seen.all("transfer-encoding").contains(&"chunked") {
            seen.body = self.chunked().await?;
        } else if let Some(length) = seen.all("content-length").first() {
            seen.body = self.exactly(length.parse().expect("a length")).await?;
        }
        self.state.seen.lock().unwrap().push(seen.clone());
        Some(seen)
    }

    /// The next head, which is not remembered; `None` at the end.
    pub(crate) async fn head(&mut self) -> Option<String> {
        let end = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8(self.buffer[..end].to_vec()).expect("a head in ASCII");
        self.buffer.drain(..end + 4);
        Some(head)
    }

    /// How much of what follows has been read already; it is forgotten.
    pub(crate) fn taken(&mut self) -> usize {
        std::mem::take(&mut self.buffer).len()
    }

    /// Remembers a request.
    pub(crate) fn remember(&self, head: &str, body: &[u8]) {
        let seen = Seen { head: head.to_owned(), body: body.to_vec() };
        self.state.seen.lock().unwrap().push(seen);
    }

    /// So many bytes.
    pub(crate) async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Some(self.buffer.drain(..length).collect())
    }

    /// A chunked body as it came over the wire, from its first chunk to the end of its trailers.
    pub(crate) async fn raw_chunked(&mut self) -> Option<Vec<u8>> {
        let mut raw = Vec::new();
        loop {
            let end = self.until(b"\r\n").await?;
            let size = std::str::from_utf8(&self.buffer[..end]).expect("a size");
            let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).expect("a size");
            if size > 0 {
                raw.extend(self.exactly(end + 2 + size + 2).await?);
                continue;
            }
            raw.extend(self.exactly(end + 2).await?);
            loop {
                let end = self.until(b"\r\n").await?;
                raw.extend(self.exactly(end + 2).await?);
                if end == 0 {
                    return Some(raw);
                }
            }
        }
    }

    async fn chunked(&mut self) -> Option<Vec<u8>> {
        let raw = self.raw_chunked().await?;
        let (mut body, mut at) = (Vec::new(), 0);
        loop {
            let end = at + raw[at..].windows(2).position(|two| two == b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&raw[at..end]).ok()?, 16).ok()?;
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&raw[end + 2..end + 2 + size]);
            at = end + 2 + size + 2;
        }
    }

    /// Sends bytes; whether all of them were taken.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Waits until the other side ends the connection.
    pub(crate) async fn ended(&mut self) {
        while self.more().await.is_some() {}
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().expect("a reset");
    }

    async fn until(&mut self, mark: &[u8]) -> Option<usize> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return Some(at);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        let read =
            timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await.expect("bytes within 30 s");
        matches!(read, Ok(1..)).then_some(())
    }
}
