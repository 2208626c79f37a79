// Auth answers role assignments behind natsgate: one member of a queue group, which refuses in a way that becomes an HTTP
// status, and leaves without failing a request. It does what examples/auth_service.rs does, line for line of its output.
//
// The users live in memory. How HTTP comes in here and what becomes of the answers, config/natsgate.yaml says.
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
)

const (
	subject = "auth.users.roles.assign"
	// Each request goes to one member of the group: start more of them to share the load, stop one to replace it.
	queueGroup = "auth"
	// Requests in progress at once. Those beyond wait in the subscription, and are dropped there when their time is over.
	concurrency = 64
	// How long a stop may take: longer than the longest deadline of a request.
	patience = 10 * time.Second
)

func main() {
	url := flag.String("nats", cmp.Or(os.Getenv("NATS_URL"), nats.DefaultURL), "address of NATS")
	work := flag.Duration("work", 0, "how long one assignment takes")
	flag.Parse()
	log.SetFlags(0)
	// SIGTERM is how Kubernetes and systemd ask a service to leave.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if err := run(stop, *url, *work); err != nil {
		log.Fatalf("auth: %v", err)
	}
}

func run(stop context.Context, url string, work time.Duration) error {
	// Without an end to its tries, the client outlives any outage of NATS.
	connection, err := nats.Connect(url, nats.Name("auth"), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("cannot connect to NATS: %w", err)
	}
	defer connection.Close()

	service := service{users: newUsers("ada", "grace"), work: work}
	places := make(chan struct{}, concurrency)
	var running sync.WaitGroup
	// The client calls this for one message after the other, so the work is done elsewhere.
	requests, err := connection.QueueSubscribe(subject, queueGroup, func(request *nats.Msg) {
		places <- struct{}{}
		arrived := time.Now()
		running.Go(func() {
			defer func() { <-places }()
			service.serve(request, arrived)
		})
	})
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	requests.SetClosedHandler(func(string) { close(drained) })
	// A round trip: now the server has the subscription.
	if err := connection.Flush(); err != nil {
		return err
	}
	fmt.Printf("ready: answers %s in the queue group %s\n", subject, queueGroup)

	<-stop.Done()
	return leave(connection, requests, drained, &running)
}

// leave ends the subscription first: from here on the server gives new requests to the other members. Those that are on
// their way to this one are still handed out and answered, and the answers are sent before the connection closes.
func leave(connection *nats.Conn, requests *nats.Subscription, drained <-chan struct{}, running *sync.WaitGroup) error {
	if err := requests.Drain(); err != nil {
		return err
	}
	select {
	case <-drained:
	case <-time.After(patience):
		return errors.New("the subscription did not end in time")
	}
	running.Wait()
	if err := connection.FlushTimeout(patience); err != nil {
		return err
	}
	fmt.Println("stopped: every request that came in was answered")
	return nil
}
