//! An HTTP/2 client that sends exactly the frames that it is told, legal or not.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `SETTINGS_INITIAL_WINDOW_SIZE`.
pub(crate) const INITIAL_WINDOW: u16 = 4;

/// One connection.
pub(crate) struct Http2 {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Http2 {
    /// Connects to `http://host:port`, and says what every client says first.
    pub(crate) async fn connect(url: &str) -> Http2 {
        Http2::connect_with(url, &[]).await
    }

    /// The same with settings.
    pub(crate) async fn connect_with(url: &str, settings: &[(u16, u32)]) -> Http2 {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("connection");
        stream.set_nodelay(true).expect("no delay");
        let mut client = Http2 { stream, buffer: Vec::new() };
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        client.write(&frame(SETTINGS, 0, 0, &payload)).await;
        client
    }

    /// Sends bytes as they are; whether all of them were taken.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        let written = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        written.is_ok_and(|written| written.is_ok())
    }

    /// A GET of a path, complete.
    pub(crate) async fn get(&mut self, stream: u32, path: &str) {
        self.write(&get(stream, path)).await;
    }

    /// The next frame; `None` once the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            let read = self.stream.read_buf(&mut self.buffer);
            match timeout(PATIENCE, read).await.expect("a frame, or the end, within 30 s") {
                Ok(1..) => {}
                _ => return None,
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let header: [u8; 9] = self.buffer.get(..9)?.try_into().expect("nine bytes");
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let payload = self.buffer.get(9..9 + length)?.to_vec();
        self.buffer.drain(..9 + length);
        let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
        Some(Frame { kind: header[3], flags: header[4], stream, payload })
    }

    /// The first frame of a kind; `None` if the connection is closed before.
    pub(crate) async fn first(&mut self, kind: u8) -> Option<Frame> {
        while let Some(frame) = self.next().await {
            if frame.kind == kind {
                return Some(frame);
            }
        }
        None
    }

    /// Reads to the end of the connection; says with which code it said goodbye, if it did.
    pub(crate) async fn goodbye(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.next().await {
            if frame.kind == GOAWAY {
                code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().expect("a code")));
            }
        }
        code
    }
}

/// A frame as it goes over the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Header fields, uncompressed.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            length(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

/// RFC 7541, section 5.1, with a prefix of seven bits.
fn length(bytes: &mut Vec<u8>, mut length: usize) {
    if length < 127 {
        return bytes.push(length as u8);
    }
    bytes.push(127);
    length -= 127;
    while length >= 128 {
        bytes.push((length % 128) as u8 | 128);
        length /= 128;
    }
    bytes.push(length as u8);
}

/// The fields of every request.
pub(crate) fn request<'a>(method: &'a str, path: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(":method", method), (":scheme", "http"), (":authority", "test"), (":path", path)]
}

/// A GET of a path, complete.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&request("GET", path)))
}

impl Frame {
    /// The status that an answer begins with, on a connection on which it was not said before.
    pub(crate) fn status(&self) -> u16 {
        match self.payload[..] {
            [index @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(index - 0x88)],
            [0x48, 0x03, a, b, c, ..] => String::from_utf8_lossy(&[a, b, c]).parse().expect("a status"),
            [0x48, length @ 0x82..=0x83, ref rest @ ..] => huffman(&rest[..usize::from(length & 0x7f)]),
            ref other => panic!("no status: {other:02x?}"),
        }
    }
}

/// Three digits in the code of RFC 7541, appendix B: five bits for 0, 1 and 2, six for the others.
fn huffman(bytes: &[u8]) -> u16 {
    let bits: Vec<u16> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1))).collect();
    let (mut at, mut status) = (0, 0);
    let value =
        |from: usize, count: usize| bits[from..from + count].iter().fold(0, |value, bit| value * 2 + bit);
    for _ in 0..3 {
        let short = value(at, 5) <= 2;
        let digit = if short { value(at, 5) } else { value(at, 6) - 0b01_1001 + 3 };
        at += if short { 5 } else { 6 };
        status = status * 10 + digit;
    }
    status
}
