// Package gateway reads what natsgate puts on every message. Header names are compared letter by letter in NATS, so they
// stand here once.
package gateway

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// RequestID is what the client finds in its problem and the operator in the gateway's log.
func RequestID(header nats.Header) string {
	if id := header.Get("Natsgate-Request-Id"); id != "" {
		return id
	}
	return "-"
}

// TraceID is the second field of traceparent ("00-<trace>-<span>-<flags>"). A service with a tracing library hands the
// whole header to it instead (in OpenTelemetry: propagation.TraceContext), and its spans join the client's trace.
func TraceID(header nats.Header) string {
	if fields := strings.Split(header.Get("traceparent"), "-"); len(fields) >= 4 && len(fields[1]) == 32 {
		return fields[1]
	}
	return "-"
}

// Deadline returns a context that ends when the gateway stops waiting for the answer. Two headers say when:
// Natsgate-Deadline as a time, which is right however long the message was on its way, and Natsgate-Timeout-Ms as what was
// left when it was sent, which is right however wrong this machine's clock is. The earlier one holds.
func Deadline(parent context.Context, header nats.Header, arrived time.Time) (context.Context, context.CancelFunc) {
	var ends []time.Time
	if at, err := time.Parse(time.RFC3339, header.Get("Natsgate-Deadline")); err == nil {
		ends = append(ends, at)
	}
	if left, err := strconv.ParseInt(header.Get("Natsgate-Timeout-Ms"), 10, 32); err == nil && left >= 0 {
		ends = append(ends, arrived.Add(time.Duration(left)*time.Millisecond))
	}
	switch len(ends) {
	case 0:
		return context.WithCancel(parent)
	case 2:
		if ends[1].Before(ends[0]) {
			ends[0] = ends[1]
		}
	}
	return context.WithDeadline(parent, ends[0])
}
