package gateway

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestDeadlineIsTheEarlierOfBoth(t *testing.T) {
	arrived := time.Now()
	in := func(left time.Duration) string { return arrived.Add(left).UTC().Format("2006-01-02T15:04:05.000Z") }
	for name, test := range map[string]struct {
		deadline, left string
		want           time.Duration // from the arrival; 0: none
	}{
		"a clock that is right":  {in(2 * time.Second), "2000", 2 * time.Second},
		"a long way here":        {in(time.Second), "2000", time.Second},
		"a clock that is behind": {in(time.Hour), "2000", 2 * time.Second},
		"the time alone":         {in(2 * time.Second), "", 2 * time.Second},
		"what was left alone":    {"", "2000", 2 * time.Second},
		"neither":                {"", "", 0},
		"nothing that is legal":  {"tomorrow", "soon", 0},
	} {
		header := nats.Header{"Natsgate-Deadline": {test.deadline}, "Natsgate-Timeout-Ms": {test.left}}
		waits, cancel := Deadline(context.Background(), header, arrived)
		defer cancel()
		ends, has := waits.Deadline()
		if has != (test.want != 0) {
			t.Errorf("%s: a deadline: %v", name, has)
		} else if difference := ends.Sub(arrived) - test.want; has && difference.Abs() > 2*time.Millisecond {
			t.Errorf("%s: %v, not %v", name, ends.Sub(arrived), test.want)
		}
	}
}

func TestTraceID(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for given, want := range map[string]string{
		"00-" + trace + "-00f067aa0ba902b7-01": trace,
		"":                                     "-",
		"00-short-00f067aa0ba902b7-01":         "-",
	} {
		if got := TraceID(nats.Header{"traceparent": {given}}); got != want {
			t.Errorf("%q: %q", given, got)
		}
	}
}
