//! A responder that speaks the protocol by hand, so that it can answer what no client library would.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

pub(crate) struct Hostile {
    _responder: AbortOnDropHandle<()>,
}

impl Hostile {
    /// Answers each request on `subject` with a message whose header block is exactly `block`.
    pub(crate) async fn start(port: u16, subject: &str, block: &[u8]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("server listens");
        let mut stream = BufReader::new(stream);
        let hello = format!("CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB {subject} 1\r\nPING\r\n");
        stream.write_all(hello.as_bytes()).await.expect("hello is taken");
        let mut line = String::new();
        while !line.starts_with("PONG") {
            line.clear();
            assert!(stream.read_line(&mut line).await.expect("greeting") > 0, "server closed");
        }
        let respond = respond(stream, block.to_vec());
        Self { _responder: AbortOnDropHandle::new(tokio::spawn(respond)) }
    }
}

async fn respond(mut stream: BufReader<TcpStream>, block: Vec<u8>) {
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|count| count > 0) {
        // MSG <subject> <sid> <reply> <bytes>, HMSG with the length of the headers before the last one
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["MSG", _, _, reply, size] | ["HMSG", _, _, reply, _, size] => {
                let mut payload = vec![0; size.parse::<usize>().expect("size") + 2];
                stream.read_exact(&mut payload).await.expect("payload");
                let head = format!("HPUB {reply} {0} {0}\r\n", block.len());
                let message = [head.as_bytes(), &block, b"\r\n"].concat();
                stream.write_all(&message).await.expect("reply is taken");
            }
            ["PING"] => stream.write_all(b"PONG\r\n").await.expect("pong is taken"),
            _ => {}
        }
        line.clear();
    }
}
