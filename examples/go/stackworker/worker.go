package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/natsgate-examples/gateway"
)

// How long the server may take to confirm that a message is settled.
const settleTimeout = 5 * time.Second

type worker struct {
	connection *nats.Conn
	ackWait    time.Duration
	stacks     *stacks
}

type deletion struct {
	Candidate string `json:"candidateId"`
	Test      string `json:"testId"`
}

func (w *worker) work(message jetstream.Msg) {
	if err := w.delete(message); err != nil {
		// The deletion may have happened. The message comes again, and deleting what is gone is a success.
		log.Printf("the server did not confirm, the message will come again: %v", err)
	}
}

func (w *worker) delete(message jetstream.Msg) error {
	var asked deletion
	if err := json.Unmarshal(message.Data(), &asked); err != nil || asked.Candidate == "" || asked.Test == "" {
		return w.terminate(message, "invalid data: a deletion has a candidateId and a testId")
	}
	metadata, err := message.Metadata()
	if err != nil {
		return err
	}
	trace, delivery := gateway.TraceID(message.Headers()), metadata.NumDelivered
	fmt.Printf("received: stack %s (delivery %d, trace %s)\n", visible(asked.stack()), delivery, trace)

	done := w.alive(message)
	result, err := w.stacks.delete(asked, delivery)
	done()
	if err != nil {
		// Never acknowledged, nor left to time out: ackWait is made for long work, far too long for a retry.
		delay := time.Second << min(delivery, 8)
		if err := message.NakWithDelay(delay); err != nil {
			return err
		}
		fmt.Printf("failed: %s; again in %v (delivery %d)\n", visible(err.Error()), delay, delivery)
		return nil
	}
	// Confirmed by the server: an acknowledgement that got lost would bring the message back.
	if err := w.settle(message, "+ACK"); err != nil {
		return err
	}
	fmt.Printf("deleted: %s\n", visible(result))
	return nil
}

// alive tells the server every now and then that the message is in good hands, until the function that it returns is
// called. After that nothing is sent any more: a late sign of life must not follow the acknowledgement.
func (w *worker) alive(message jetstream.Msg) (done func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(w.ackWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
			if err := message.InProgress(); err != nil {
				log.Printf("could not ask for more time: %v", err)
				continue
			}
			fmt.Println("still at it: asked for more time")
		}
	})
	return func() { close(ended); running.Wait() }
}

// terminate is for what no repetition can mend. A work queue drops the message, so what it held is told here.
func (w *worker) terminate(message jetstream.Msg, reason string) error {
	if err := w.settle(message, "+TERM "+reason); err != nil {
		return err
	}
	fmt.Printf("terminated: %s: %s\n", reason, visible(string(message.Data())))
	return nil
}

// settle sends a final acknowledgement and waits until the server has it. By hand, since the client's own DoubleAck has no
// counterpart for a termination with a reason.
func (w *worker) settle(message jetstream.Msg, kind string) error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	_, err := w.connection.RequestWithContext(ctx, message.Reply(), []byte(kind))
	return err
}

// visible escapes what a client sent: a line break in it would forge a line of the log.
func visible(text string) string { return strings.Trim(strconv.Quote(text), `"`) }

// stacks is what stands for the infrastructure: every stack exists until it was deleted. Test ids that begin with "flaky"
// fail at their first delivery.
type stacks struct {
	lock sync.Mutex
	gone map[string]bool
	work time.Duration
}

func newStacks(work time.Duration) *stacks { return &stacks{gone: map[string]bool{}, work: work} }

func (d deletion) stack() string { return d.Candidate + "-" + d.Test }

// delete succeeds too if there is nothing to delete: a message that comes twice must do no harm.
func (s *stacks) delete(asked deletion, delivery uint64) (string, error) {
	time.Sleep(s.work)
	if strings.HasPrefix(asked.Test, "flaky") && delivery == 1 {
		return "", fmt.Errorf("the infrastructure did not answer for %s", asked.stack())
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.gone[asked.stack()] {
		return fmt.Sprintf("stack %s (it was gone already)", asked.stack()), nil
	}
	s.gone[asked.stack()] = true
	return "stack " + asked.stack(), nil
}
