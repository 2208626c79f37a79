//! New connections: TCP, and TLS where the URL asks for it.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::transport::Transport;
use super::{Failure, Options, tls};
use crate::socket;

/// What connections are made with.
#[derive(Debug)]
pub(super) struct Connector {
    /// For whatever is spoken, and for HTTP/1.1 alone.
    tls: Option<[Arc<ClientConfig>; 2]>,
}

impl Connector {
    pub(super) fn new(options: &Options, is_secure: bool) -> Result<Connector, String> {
        Ok(Connector { tls: if is_secure { Some(tls::configs(options)?) } else { None } })
    }

    /// Connects to an address. `only_http1`: nothing else can be spoken.
    pub(super) async fn connect(
        &self,
        address: &Address,
        only_http1: bool,
        due: Instant,
    ) -> Result<Transport, Failure> {
        let connected = timeout_at(due, self.within_time(address, only_http1)).await;
        match connected {
            Ok(Ok(transport)) => Ok(transport),
            Ok(Err(error)) => Err(Failure::Unreachable(error.to_string())),
            Err(_) => Err(Failure::Unreachable("not connected in time".to_owned())),
        }
    }

    async fn within_time(&self, address: &Address, only_http1: bool) -> io::Result<Transport> {
        let stream = TcpStream::connect(address.peer).await?;
        stream.set_nodelay(true)?;
        let (Some(name), Some([usual, http1])) = (&address.endpoint.server_name, &self.tls) else {
            return Ok(Transport::new(socket::Transport::Plain(stream)));
        };
        let config = if only_http1 { http1 } else { usual };
        let stream = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await?;
        Ok(Transport::new(socket::Transport::tls(stream)))
    }
}
