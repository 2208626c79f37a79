//! A connection whose protocol was switched (101): from then on its bytes go both ways between the client and whoever has
//! the other half, until either side ends. No time of HTTP holds for it.

use std::any::Any;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;

/// Once one side has ended, the other one may still say so much longer what it has to say.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Duplex for T {}

/// The other half of a tunnel, and what is kept for as long as it stands.
#[derive(Default)]
pub struct HandedOver {
    pub(super) other: Option<Box<dyn Duplex>>,
    pub(super) kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandedOver")
    }
}

impl HandedOver {
    /// Carries bytes both ways until a side ends. `ahead` has come from the client already.
    ///
    /// # Errors
    /// If a side breaks.
    pub async fn run(self, client: impl Duplex, ahead: &[u8]) -> io::Result<()> {
        let Some(mut other) = self.other else { return Ok(()) };
        other.write_all(ahead).await?;
        let (mut from_client, mut to_client) = split(client);
        let (mut from_other, mut to_other) = split(other);
        let up = async {
            let copied = copy(&mut from_client, &mut to_other).await;
            to_other.shutdown().await.and(copied.map(drop))
        };
        let down = async {
            let copied = copy(&mut from_other, &mut to_client).await;
            to_client.shutdown().await.and(copied.map(drop))
        };
        tokio::pin!(up, down);
        tokio::select! {
            ended = &mut up => {
                ended?;
                timeout(LAST_WORDS, down).await.unwrap_or(Ok(()))
            }
            ended = &mut down => {
                ended?;
                timeout(LAST_WORDS, up).await.unwrap_or(Ok(()))
            }
        }
    }
}
