//! A TCP proxy on a random port that can break the connections that pass through it.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Forward,
    /// Bytes are neither read nor written, sockets stay open.
    Stall,
    /// The server hears everything, and nothing of what it says arrives.
    Mute,
    /// Connections are reset, new ones too.
    Refuse,
}

pub(crate) struct Cut {
    port: u16,
    flow: Arc<watch::Sender<Flow>>,
    /// Counts the cuts, so that a connection notices one that is over already.
    cuts: Arc<watch::Sender<u64>>,
    _accept: AbortOnDropHandle<()>,
}

impl Cut {
    /// A proxy to a port of this machine.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("proxy listens");
        let port = listener.local_addr().expect("address").port();
        let flow = Arc::new(watch::Sender::new(Flow::Forward));
        let cuts = Arc::new(watch::Sender::new(0));
        let accept = accept(listener, target, Arc::clone(&flow), Arc::clone(&cuts));
        Self { port, flow, cuts, _accept: AbortOnDropHandle::new(tokio::spawn(accept)) }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Resets every connection; new ones pass.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }

    /// Resets every connection, and each new one until [`Self::resume`].
    pub(crate) fn refuse(&self) {
        self.flow.send_replace(Flow::Refuse);
        self.cut();
    }

    /// Stops forwarding without closing anything: the half-open connection.
    pub(crate) fn stall(&self) {
        self.flow.send_replace(Flow::Stall);
    }

    /// Forwards what the client sends, and holds back every answer.
    pub(crate) fn mute(&self) {
        self.flow.send_replace(Flow::Mute);
    }

    pub(crate) fn resume(&self) {
        self.flow.send_replace(Flow::Forward);
    }
}

async fn accept(
    listener: TcpListener,
    target: u16,
    flow: Arc<watch::Sender<Flow>>,
    cuts: Arc<watch::Sender<u64>>,
) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((inbound, _)) = listener.accept().await {
        if *flow.borrow() == Flow::Refuse {
            reset(&inbound);
            continue;
        }
        connections.spawn(forward(inbound, target, flow.subscribe(), cuts.subscribe()));
    }
}

async fn forward(
    mut inbound: TcpStream,
    target: u16,
    flow: watch::Receiver<Flow>,
    mut cuts: watch::Receiver<u64>,
) {
    let Ok(mut outbound) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let finished = {
        let (from_client, to_client) = inbound.split();
        let (from_server, to_server) = outbound.split();
        tokio::select! {
            () = copy(from_client, to_server, flow.clone(), &[Flow::Forward, Flow::Mute]) => true,
            () = copy(from_server, to_client, flow, &[Flow::Forward]) => true,
            _ = cuts.changed() => false,
        }
    };
    if !finished {
        reset(&inbound);
        reset(&outbound);
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut flow: watch::Receiver<Flow>,
    passes: &[Flow],
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if flow.wait_for(|flow| passes.contains(flow)).await.is_err() {
            return;
        }
        tokio::select! {
            _ = flow.changed() => {}
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 => {
                    if flow.wait_for(|flow| passes.contains(flow)).await.is_err()
                        || to.write_all(&buffer[..count]).await.is_err()
                    {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}

/// Closing such a socket sends a reset instead of a polite end.
fn reset(stream: &TcpStream) {
    let _refused = stream.set_zero_linger();
}
