//! Several nats-servers that form one cluster with JetStream.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::nats_server::{NatsServer, free_port};

const SETTLES_WITHIN: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    pub(crate) nodes: Vec<NatsServer>,
}

impl Cluster {
    /// Starts `size` servers and waits until JetStream has a leader and takes streams.
    pub(crate) async fn start(size: usize) -> Self {
        Self::with(size, "").await
    }

    /// The same with more configuration for every node.
    pub(crate) async fn with(size: usize, config: &str) -> Self {
        let routes: Vec<u16> = (0..size).map(|_| free_port()).collect();
        let all: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let cluster_name = format!("cluster-{}", fastrand::u32(..));
        let start = routes.iter().enumerate().map(|(index, route)| {
            let config = format!(
                "cluster {{ name: {cluster_name}, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n{config}",
                all.join(", ")
            );
            let name = format!("{cluster_name}-{index}");
            async move { NatsServer::on(free_port(), &name, &config).await }
        });
        let nodes = futures_util::future::join_all(start).await;
        let cluster = Self { nodes };
        cluster.settled().await;
        cluster
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(NatsServer::url).collect()
    }

    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    pub(crate) async fn restart(&mut self, node: usize) {
        self.nodes[node].restart().await;
    }

    /// The node that leads a stream, asked until there is one.
    pub(crate) async fn leader_of(&self, stream: &str) -> usize {
        let until = Instant::now() + SETTLES_WITHIN;
        loop {
            for url in self.urls() {
                let leader = self.ask(&url, &format!("STREAM.INFO.{stream}")).await.as_ref().and_then(leader);
                if let Some(node) = leader.and_then(|name| self.nodes.iter().position(|n| n.name() == name)) {
                    return node;
                }
            }
            assert!(Instant::now() < until, "stream {stream} has no leader");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Until JetStream is there for the account, and places a stream on every node.
    async fn settled(&self) {
        let until = Instant::now() + SETTLES_WITHIN;
        for url in self.urls() {
            while self.ask(&url, "INFO").await.is_none_or(|info| info.get("error").is_some()) {
                assert!(Instant::now() < until, "the cluster has no leader:\n{}", self.nodes[0].log());
                sleep(Duration::from_millis(50)).await;
            }
        }
        let url = self.nodes[0].url();
        let everywhere = format!("{{\"name\":\"SETTLED\",\"num_replicas\":{}}}", self.nodes.len());
        for (action, body) in [("CREATE", everywhere.as_str()), ("DELETE", "")] {
            let subject = format!("STREAM.{action}.SETTLED");
            while self.tell(&url, &subject, body).await.is_none_or(|done| refused(&done)) {
                assert!(Instant::now() < until, "no place for a stream:\n{}", self.nodes[0].log());
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn ask(&self, url: &str, subject: &str) -> Option<Value> {
        self.tell(url, subject, "").await
    }

    async fn tell(&self, url: &str, subject: &str, body: &str) -> Option<Value> {
        let client = async_nats::connect(url).await.ok()?;
        let request = client.request(format!("$JS.API.{subject}"), body.to_owned().into());
        let reply = tokio::time::timeout(Duration::from_secs(1), request).await.ok()?.ok()?;
        serde_json::from_slice(&reply.payload).ok()
    }
}

fn leader(info: &Value) -> Option<String> {
    Some(info.get("cluster")?.get("leader")?.as_str()?.to_owned())
}

/// What is gone already need not be deleted.
fn refused(done: &Value) -> bool {
    done.get("error").is_some_and(|error| error["err_code"] != 10_059)
}
