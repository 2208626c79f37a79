// Stackworker deletes stacks behind natsgate's publishes: it binds to the durable consumer of the work queue, and
// acknowledges a message when its work is done and never before. It keeps the contract of examples/stack_worker.rs.
//
// The consumer is declared in a manifest; a worker never creates it, or each version of it would have its say. If the
// manifest gives it a deliverSubject (jetstream/stacks.yaml beside this), the server pushes; if not
// (deploy/jetstream/stacks.yaml), the worker pulls.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName   = "STACKS"
	consumerName = "STACK_DELETE"
	// How long one pull waits for a message, and so how long an idle worker takes to stop.
	pull = 2 * time.Second
)

func main() {
	url := flag.String("nats", cmp.Or(os.Getenv("NATS_URL"), nats.DefaultURL), "address of NATS")
	work := flag.Duration("work", 300*time.Millisecond, "how long one deletion takes")
	flag.Parse()
	log.SetFlags(0)
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if err := run(stop, *url, *work); err != nil {
		log.Fatalf("stackworker: %v", err)
	}
}

func run(stop context.Context, url string, work time.Duration) error {
	connection, err := nats.Connect(url, nats.Name("stackworker"), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("cannot connect to NATS: %w", err)
	}
	defer connection.Close()
	stream, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	worker := worker{connection: connection, stacks: newStacks(work)}

	pushed, err := stream.PushConsumer(stop, streamName, consumerName)
	if err == nil {
		return worker.runPushed(stop, pushed)
	}
	if errors.Is(err, jetstream.ErrNotPushConsumer) {
		pulled, err := stream.Consumer(stop, streamName, consumerName)
		if err != nil {
			return err
		}
		return worker.runPulling(stop, pulled)
	}
	return fmt.Errorf("no consumer %s on %s, apply its manifest first: %w", consumerName, streamName, err)
}

// runPushed takes what the server sends. A message's ackWait counts from when it was sent, so none waits here behind
// another one: each is worked on at once, and the manifest's maxAckPending bounds how many there are.
func (w *worker) runPushed(stop context.Context, consumer jetstream.PushConsumer) error {
	w.ackWait = consumer.CachedInfo().Config.AckWait
	var running sync.WaitGroup
	messages, err := consumer.Consume(func(message jetstream.Msg) { running.Go(func() { w.work(message) }) })
	if err != nil {
		return err
	}
	if err := w.connection.Flush(); err != nil {
		return err
	}
	w.ready("is given messages")
	<-stop.Done()
	// Drained and not dropped: what the server is just sending would be kept from the other workers for an ackWait.
	messages.Drain()
	<-messages.Closed()
	running.Wait()
	return w.stopped()
}

// runPulling asks for one message at a time. Not for more: a message that waits here behind another one uses up its
// ackWait and is kept from the workers that have nothing to do. A stop is looked at between two pulls only.
func (w *worker) runPulling(stop context.Context, consumer jetstream.Consumer) error {
	w.ackWait = consumer.CachedInfo().Config.AckWait
	w.ready("asks for messages")
	for stop.Err() == nil {
		messages, err := consumer.Fetch(1, jetstream.FetchMaxWait(pull))
		if err == nil {
			for message := range messages.Messages() {
				w.work(message)
			}
			err = messages.Error()
		}
		if err != nil {
			log.Printf("cannot pull, will try again: %v", err)
			select {
			case <-stop.Done():
			case <-time.After(time.Second):
			}
		}
	}
	return w.stopped()
}

func (w *worker) ready(how string) {
	fmt.Printf("ready: works on %s of %s, %s, a deletion has %v between signs of life\n", consumerName, streamName, how, w.ackWait)
}

// stopped waits until the server has everything that was sent.
func (w *worker) stopped() error {
	if err := w.connection.FlushTimeout(settleTimeout); err != nil {
		return err
	}
	fmt.Println("stopped: no deletion was left half done")
	return nil
}
