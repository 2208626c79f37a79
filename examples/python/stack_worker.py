"""The stack worker in Python: binds to the pull consumer of deploy/jetstream/stacks.yaml and deletes stacks, one at a time.
It keeps the contract of examples/stack_worker.rs: a message is acknowledged when its work is done and never before.

    NATS_URL=nats://127.0.0.1:4222 python3 stack_worker.py [--work SECONDS]
"""

import argparse
import asyncio
import json
import os
import signal
import sys

import nats
from nats.errors import TimeoutError as NoMessage

STREAM = "STACKS"
CONSUMER = "STACK_DELETE"
# How long one pull waits for a message, and so how long an idle worker takes to stop.
PULL_SECONDS = 2


class Stacks:
    """What stands for the infrastructure. Test ids that begin with `flaky` fail at their first delivery."""

    def __init__(self, work):
        self.work = work
        self.gone = set()

    async def delete(self, candidate, test, delivery):
        """Succeeds too if there is nothing to delete: a message that comes twice must do no harm."""
        stack = f"{candidate}-{test}"
        await asyncio.sleep(self.work)
        if test.startswith("flaky") and delivery == 1:
            raise OSError(f"the infrastructure did not answer for {stack}")
        already = stack in self.gone
        self.gone.add(stack)
        return f"stack {stack}{' (it was gone already)' if already else ''}"


def visible(text):
    """Escapes what a client sent: a line break in it would forge a line of the log."""
    return text.encode("unicode_escape").decode()


class Worker:
    def __init__(self, connection, ack_wait, stacks):
        self.connection = connection
        self.ack_wait = ack_wait
        self.stacks = stacks

    async def handle(self, message):
        try:
            deletion = json.loads(message.data)
            candidate, test = str(deletion["candidateId"]), str(deletion["testId"])
        except (ValueError, KeyError, TypeError):
            # No repetition can mend this. A work queue drops the message, so what it held is told here.
            await self.settle(message, "+TERM invalid data: a deletion has a candidateId and a testId")
            print(f"terminated: invalid data: {message.data!r}")
            return
        delivery = message.metadata.num_delivered
        print(f"received: stack {visible(f'{candidate}-{test}')} (delivery {delivery}, trace {trace(message)})")
        alive = asyncio.create_task(self.keep_alive(message))
        try:
            result = await self.stacks.delete(candidate, test, delivery)
        except Exception as error:
            # Whatever it was. Never acknowledged, nor left to time out: ackWait is made for long work, far too long for a retry.
            delay = 1 << min(delivery, 8)
            await message.nak(delay=delay)
            print(f"failed: {visible(str(error))}; again in {delay}s (delivery {delivery})")
            return
        finally:
            alive.cancel()
        # Confirmed by the server: an acknowledgement that got lost would bring the message back.
        await self.settle(message, "+ACK")
        print(f"deleted: {visible(result)}")

    async def keep_alive(self, message):
        """Tells the server every now and then that the message is in good hands."""
        while True:
            await asyncio.sleep(self.ack_wait / 3)
            await message.in_progress()
            print("still at it: asked for more time")

    async def settle(self, message, kind):
        """Sends a final acknowledgement and waits until the server has it. By hand: `term` takes no reason and waits for
        nothing."""
        await self.connection.request(message.reply, kind.encode(), timeout=5)


def trace(message):
    """The trace that the client began: `traceparent` is 00-<trace>-<span>-<flags>. OpenTelemetry takes the header whole."""
    fields = (message.headers or {}).get("traceparent", "").split("-")
    return fields[1] if len(fields) >= 4 else "-"


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nats", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    parser.add_argument("--work", type=float, default=0.3, help="how long one deletion takes, in seconds")
    arguments = parser.parse_args()

    connection = await nats.connect(arguments.nats, name="stack_worker", max_reconnect_attempts=-1)
    stream = connection.jetstream()
    # Bound to, and never created: the manifest is what says how the consumer is.
    consumer = await stream.pull_subscribe_bind(CONSUMER, STREAM)
    ack_wait = (await consumer.consumer_info()).config.ack_wait
    worker = Worker(connection, ack_wait, Stacks(arguments.work))

    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    print(f"ready: works on {CONSUMER} of {STREAM}, a deletion has {ack_wait:.0f}s between signs of life")

    # A stop is looked at between two pulls only: to drop an open pull would lose what the server is just sending, for as
    # long as ackWait lasts. One message at a time: another one would use up its ackWait in the queue here.
    while not stop.is_set():
        try:
            for message in await consumer.fetch(1, timeout=PULL_SECONDS):
                await worker.handle(message)
        except NoMessage:
            continue
        except nats.errors.Error as error:
            # Of the pull, or of a confirmation: the message comes again then, and deleting what is gone is a success.
            print(f"will try again: {error}")
            await asyncio.sleep(1)
    # Not drained: that waits half a minute for the inbox of the pulls. Nothing is under way here that could be lost.
    await connection.flush()
    await connection.close()
    print("stopped: no deletion was left half done")


if __name__ == "__main__":
    # Line by line also into a file or a pipe, where somebody looks for the last one.
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(main())
