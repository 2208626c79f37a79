//! The certificate that new handshakes use, and its renewal: the files are read again and again, since a symbolic link
//! that a cluster swaps, a mount that is replaced and a file that is rewritten in place look alike in their content only.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::{Contents, Fault, File, Files, build, read};

/// How often the files are read.
const EVERY: Duration = Duration::from_secs(1);

/// What handshakes use now. Clones share.
#[derive(Debug, Clone)]
pub struct Identity {
    files: Arc<Files>,
    current: Arc<ArcSwap<ServerConfig>>,
    loaded: Seen,
}

/// What was found at one look: a hash of the contents, or why there are none.
type Seen = Result<[u8; 32], Fault>;

impl Identity {
    /// Loads the files. Blocking.
    ///
    /// # Errors
    /// As [`super::load`].
    pub fn load(files: Files) -> Result<Identity, Fault> {
        let contents = read(&files)?;
        let current = ArcSwap::new(build(&contents)?);
        Ok(Identity { files: Arc::new(files), current: Arc::new(current), loaded: Ok(hash(&contents)) })
    }

    /// What the next handshake uses.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Keeps it current, for ever. Files that cannot be used leave it as it is, which is logged once for each change.
    pub async fn keep_current(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A certificate and its key are two writes: what is looked at has stood still for one interval.
        let (mut before, mut settled) = (self.loaded.clone(), self.loaded.clone());
        loop {
            ticks.tick().await;
            let files = Arc::clone(&self.files);
            let Ok(found) = spawn_blocking(move || read(&files)).await else { continue };
            let seen = found.as_ref().map(hash).map_err(Clone::clone);
            if seen == before && seen != settled {
                self.replace(found);
                settled = seen.clone();
            }
            before = seen;
        }
    }

    fn replace(&self, found: Result<Contents, Fault>) {
        match found.and_then(|contents| build(&contents)) {
            Ok(config) => {
                self.current.store(config);
                tracing::info!(certificate = %self.files.certificate.display(), "the renewed certificate is in use");
            }
            Err(fault) => {
                let path = self.path(fault.file).display();
                tracing::error!(file = %path, reason = %fault, "the certificate files have changed and cannot be used: the former ones stay in use");
            }
        }
    }

    fn path(&self, file: File) -> &std::path::Path {
        match file {
            File::Certificate => &self.files.certificate,
            File::Key => &self.files.key,
            File::ClientCa => self.files.client_ca.as_ref().unwrap_or(&self.files.certificate),
        }
    }
}

fn hash(contents: &Contents) -> [u8; 32] {
    let mut hash = Sha256::new();
    let files = [Some(&contents.certificate), Some(&contents.key), contents.client_ca.as_ref()];
    for content in files.into_iter().flatten() {
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    hash.finalize().into()
}
