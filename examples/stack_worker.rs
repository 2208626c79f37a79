//! The worker of the demo, a model of one behind natsgate's publishes: it binds to the work queue's durable consumer and
//! deletes stacks, one at a time. A message is acknowledged when its work is done and never before.
//!
//! The stacks are simulated: test ids that begin with `flaky` fail at their first delivery. Stream and consumer are
//! declared in `deploy/jetstream/stacks.yaml`; a worker never creates them, or each version of it would have its say.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::Client;
use async_nats::jetstream::{self, AckKind, Message, consumer::PullConsumer};
use clap::Parser;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const STREAM: &str = "STACKS";
const CONSUMER: &str = "STACK_DELETE";
/// How long one pull waits for a message, and so how long an idle worker takes to stop.
const PULL: Duration = Duration::from_secs(2);

#[derive(Parser)]
struct Arguments {
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    nats: String,
    /// How long one deletion takes.
    #[arg(long, default_value = "300ms", value_parser = humantime::parse_duration)]
    work: Duration,
}

#[derive(Deserialize)]
struct Deletion {
    #[serde(rename = "candidateId")]
    candidate: String,
    #[serde(rename = "testId")]
    test: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = async_nats::connect(&arguments.nats).await.context("cannot connect to NATS")?;
    let consumer: PullConsumer = jetstream::new(client.clone())
        .get_consumer_from_stream(CONSUMER, STREAM)
        .await
        .with_context(|| format!("no consumer {CONSUMER} on {STREAM}: apply deploy/jetstream first"))?;
    let ack_wait = consumer.cached_info().config.ack_wait;
    let mut worker =
        Worker { client, ack_wait, stacks: Stacks { gone: HashSet::new(), work: arguments.work } };
    let stop = on_signal()?;
    println!("ready: works on {CONSUMER} of {STREAM}, a deletion has {ack_wait:?} between signs of life");

    // A signal is looked at between two pulls only. To drop an open pull would lose what the server is just sending, for
    // as long as ackWait lasts.
    while !*stop.borrow() {
        if let Err(error) = worker.pull(&consumer).await {
            eprintln!("cannot pull, will try again: {error}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    println!("stopped: no deletion was left half done");
    Ok(())
}

fn on_signal() -> Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        sender.send_replace(true);
    });
    Ok(receiver)
}

struct Worker {
    client: Client,
    ack_wait: Duration,
    stacks: Stacks,
}

impl Worker {
    /// Takes one message, if there is one. Not more: a message that waits here behind another one uses up its ackWait
    /// and is kept from the workers that have nothing to do.
    async fn pull(&mut self, consumer: &PullConsumer) -> Result<(), async_nats::Error> {
        let mut messages = consumer.batch().max_messages(1).expires(PULL).messages().await?;
        while let Some(message) = messages.next().await {
            let message = message?;
            if let Err(error) = self.work(&message).await {
                // The deletion may have happened. The message comes again, and deleting what is gone is a success.
                eprintln!("the server did not confirm, the message will come again: {error}");
            }
        }
        Ok(())
    }

    async fn work(&mut self, message: &Message) -> Result<()> {
        let deletion: Deletion = match serde_json::from_slice(&message.payload) {
            Ok(deletion) => deletion,
            Err(error) => return self.terminate(message, &format!("invalid data: {error}")).await,
        };
        let delivery = message.info().map_or(1, |info| info.delivered);
        let signs_of_life = self.ack_wait / 3;
        match alive(message, signs_of_life, self.stacks.delete(&deletion, delivery)).await {
            Ok(done) => {
                // Confirmed by the server: an acknowledgement that got lost would bring the message back.
                self.settle(message, "+ACK").await?;
                // Escaped: it names what a client sent, and a line break in it would forge a line of the log.
                println!("deleted: {}", done.escape_debug());
            }
            Err(reason) => {
                // Never acknowledged, nor left to time out: ackWait is made for long work, far too long for a retry.
                let delay = Duration::from_secs(1 << delivery.clamp(0, 8));
                message.ack_with(AckKind::Nak(Some(delay))).await.map_err(anyhow::Error::from_boxed)?;
                println!("failed: {}; again in {delay:?} (delivery {delivery})", reason.escape_debug());
            }
        }
        Ok(())
    }

    /// For what no repetition can mend. A work queue drops the message, so what it held is told here.
    async fn terminate(&self, message: &Message, reason: &str) -> Result<()> {
        self.settle(message, &format!("+TERM {reason}")).await?;
        println!("terminated: {reason}: {}", message.payload.escape_ascii());
        Ok(())
    }

    /// Sends a final acknowledgement and waits until the server has it. By hand, since the client's own `double_ack`
    /// cannot carry a reason and takes "no responders" for a confirmation.
    async fn settle(&self, message: &Message, kind: &str) -> Result<()> {
        let Some(subject) = message.reply.clone() else { bail!("this is no message of a consumer") };
        self.client.request(subject, kind.to_owned().into()).await?;
        Ok(())
    }
}

/// Runs `work`, telling the server every now and then that the message is in good hands.
async fn alive<T>(message: &Message, every: Duration, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(every) => match message.ack_with(AckKind::Progress).await {
                Ok(()) => println!("still at it: asked for more time"),
                Err(error) => eprintln!("could not ask for more time: {error}"),
            },
        }
    }
}

/// What stands for the infrastructure: every stack exists until it was deleted.
struct Stacks {
    gone: HashSet<String>,
    work: Duration,
}

impl Stacks {
    async fn delete(&mut self, deletion: &Deletion, delivery: i64) -> Result<String, String> {
        let stack = format!("{}-{}", deletion.candidate, deletion.test);
        tokio::time::sleep(self.work).await;
        if deletion.test.starts_with("flaky") && delivery == 1 {
            return Err(format!("the infrastructure did not answer for {stack}"));
        }
        let was_there = self.gone.insert(stack.clone());
        Ok(format!("stack {stack}{}", if was_there { "" } else { " (it was gone already)" }))
    }
}
