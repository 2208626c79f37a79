package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/natsgate-examples/gateway"
)

type service struct {
	users *users
	work  time.Duration
}

type assignment struct {
	User  string   `json:"userID"`
	Roles []string `json:"roleIDs"`
}

type answer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

// refusal is an answer with a code: natsgate makes it the HTTP status. Without one (0) the answer is a success that says
// no, and the operation's `reply` cases decide what the client sees.
type refusal struct {
	code        int
	description string // a fixed text, never the caller's: it becomes a header
	message     string
}

func (s *service) serve(request *nats.Msg, arrived time.Time) {
	id := gateway.RequestID(request.Header)
	waits, cancel := gateway.Deadline(context.Background(), request.Header, arrived)
	defer cancel()
	// Nobody waits any more, and the client was told that nobody knows what happened: doing nothing is the best of both.
	if waits.Err() != nil {
		fmt.Printf("dropped: request %s came after its deadline\n", id)
		return
	}
	if request.Reply == "" {
		return
	}
	reply := nats.NewMsg(request.Reply)
	reply.Header.Set("Content-Type", "application/json")
	done, refused := s.assign(waits, request.Data)
	result := answer{Success: refused == nil, Message: done}
	if refused != nil {
		result.Message = refused.message
		if refused.code != 0 {
			// The headers that NATS services give an error with.
			reply.Header.Set("Nats-Service-Error-Code", strconv.Itoa(refused.code))
			reply.Header.Set("Nats-Service-Error", refused.description)
		}
	}
	// Of two fields, a text and a truth: this cannot fail.
	reply.Data, _ = json.Marshal(result)
	// Published and not "responded": the answer has headers of its own.
	if err := request.RespondMsg(reply); err != nil {
		log.Printf("could not answer request %s: %v", id, err)
		return
	}
	verb := "assigned"
	if refused != nil {
		verb = "refused"
	}
	// Quoted without its quotes: the message holds what a client sent, and a line break in it would forge a line of the log.
	text := strings.Trim(strconv.Quote(result.Message), `"`)
	fmt.Printf("%s: %s (request %s, trace %s)\n", verb, text, id, gateway.TraceID(request.Header))
}

// assign assigns all roles or none. A role that the user has already is a success, so that a repeated request is harmless.
func (s *service) assign(waits context.Context, payload []byte) (string, *refusal) {
	var asked assignment
	if err := json.Unmarshal(payload, &asked); err != nil || asked.User == "" || asked.Roles == nil {
		return "", &refusal{400, "malformed request", "the request is no assignment of roles"}
	}
	// What stands for the database. A real one gets `waits` with its query, and gives up when nobody waits any more.
	select {
	case <-time.After(s.work):
	case <-waits.Done():
		return "", &refusal{504, "out of time", "the assignment did not finish in time"}
	}
	if refused := s.users.assign(asked); refused != nil {
		return "", refused
	}
	return fmt.Sprintf("%s has the role %s", asked.User, strings.Join(asked.Roles, ", ")), nil
}

var roles = []string{"admin", "editor", "viewer"}

type users struct {
	lock sync.Mutex
	held map[string]map[string]bool
}

func newUsers(names ...string) *users {
	all := &users{held: map[string]map[string]bool{}}
	for _, name := range names {
		all.held[name] = map[string]bool{}
	}
	return all
}

func (u *users) assign(asked assignment) *refusal {
	u.lock.Lock()
	defer u.lock.Unlock()
	held, known := u.held[asked.User]
	if !known {
		return &refusal{404, "no such user", "there is no user " + asked.User}
	}
	for _, role := range asked.Roles {
		if !slices.Contains(roles, role) {
			return &refusal{0, "", "there is no role " + role}
		}
	}
	for _, role := range asked.Roles {
		held[role] = true
	}
	return nil
}
