//! An HTTP/1.1 client that sends exactly what it is told, legal or not.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, and how long it took.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

impl Client {
    /// Connects to `http://host:port`.
    pub(crate) async fn connect(url: &str) -> Client {
        let address = url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("connection to the gateway");
        stream.set_nodelay(true).expect("no delay");
        Client { stream, buffer: Vec::new() }
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send_to("test", method, path, headers, body).await
    }

    /// The same to a host of this name.
    pub(crate) async fn send_to(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        let began = Instant::now();
        self.write(&bytes).await;
        self.answer(method, began).await
    }

    /// Sends bytes as they are; whether all of them were taken.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        // A gateway that has refused a request may close before everything is written.
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Reads an answer with a Content-Length.
    pub(crate) async fn answer(&mut self, method: &str, began: Instant) -> Answer {
        timeout(PATIENCE, self.read(method, began)).await.expect("an answer within 30 s")
    }

    /// Everything that comes until the other side closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = std::mem::take(&mut self.buffer);
        let read = async { while matches!(self.stream.read_buf(&mut bytes).await, Ok(1..)) {} };
        timeout(PATIENCE, read).await.expect("the connection is closed within 30 s");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything up to and with a text.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let bytes: Vec<u8> = self.buffer.drain(..at + end.len()).collect();
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            timeout(PATIENCE, self.more()).await.expect("bytes within 30 s");
        }
    }

    /// Takes so few bytes at a time from the system, and none before they are asked for.
    pub(crate) async fn connect_with_window(url: &str, window: u32) -> Client {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(window).expect("a receive buffer");
        let address = url.trim_start_matches("http://").parse().expect("an address");
        Client {
            stream: socket.connect(address).await.expect("connection to the gateway"),
            buffer: Vec::new(),
        }
    }

    /// Whether the other side closes the connection without a further byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = [0; 1];
        matches!(timeout(PATIENCE, self.stream.read(&mut rest)).await, Ok(Ok(0) | Err(_)))
    }

    /// Reads and throws away until the other side closes the connection.
    pub(crate) async fn ends(&mut self) {
        let mut rest = [0; 1024];
        let closed = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        timeout(PATIENCE, closed).await.expect("the connection is closed within 30 s");
    }

    async fn read(&mut self, method: &str, began: Instant) -> Answer {
        let head_end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            self.more().await;
        };
        let head = String::from_utf8(self.buffer[..head_end].to_vec()).expect("a head in ASCII");
        self.buffer.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value);
        let length: usize = match method {
            "HEAD" => 0,
            _ => length.map_or(0, |value| value.parse().expect("a length")),
        };
        while self.buffer.len() < length {
            self.more().await;
        }
        let body = self.buffer.drain(..length).collect();
        Answer { status: status.expect("a status line"), headers, body, took: began.elapsed() }
    }

    async fn more(&mut self) {
        let count = self.stream.read_buf(&mut self.buffer).await.expect("bytes of an answer");
        assert!(
            count > 0,
            "the connection was closed before the answer: {:?}",
            String::from_utf8_lossy(&self.buffer)
        );
    }
}

impl Answer {
    /// The value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The problem code and the outcome, from the headers, which always tell the truth.
    pub(crate) fn problem(&self) -> (&str, &str) {
        (self.header("natsgate-code").unwrap_or(""), self.header("natsgate-outcome").unwrap_or(""))
    }
}
