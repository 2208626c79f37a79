// Client calls the Common service through the package that `make sdk` generates. It says what it got and exits 1 if that
// is not what the contract promises.
//
//	client BASE_URL               both operations, and an error of the contract
//	client BASE_URL unavailable   a problem of the gateway, while no Auth service runs
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	commonservice "example.com/common-service"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("usage: client BASE_URL [unavailable]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := commonservice.NewClientWithResponses(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	run := works
	if len(os.Args) == 3 {
		run = unavailable
	}
	if err := run(ctx, client); err != nil {
		log.Fatal(err)
	}
}

func assign(ctx context.Context, client *commonservice.ClientWithResponses, user, role string) (*commonservice.AssignUserRoleResponse, error) {
	return client.AssignUserRoleWithResponse(ctx, user, nil, commonservice.RoleAssignment{RoleId: role})
}

// works: of the fields of a response, that of the status and media type which came is set.
func works(ctx context.Context, client *commonservice.ClientWithResponses) error {
	assigned, err := assign(ctx, client, "ada", "editor")
	if err != nil {
		return err
	}
	if assigned.JSON200 == nil || !assigned.JSON200.Success {
		return fmt.Errorf("no success: %s %s", assigned.Status(), assigned.Body)
	}
	fmt.Println("assigned:", assigned.JSON200.Message)

	refused, err := assign(ctx, client, "nobody", "editor")
	if err != nil {
		return err
	}
	if refused.JSON404 == nil {
		return fmt.Errorf("no error of the contract: %s %s", refused.Status(), refused.Body)
	}
	fmt.Println("refused:", refused.JSON404.Error)

	// With a key, a repetition stores nothing: it may be sent again if nobody knows what became of it.
	key := "go-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	deleted, err := client.DeleteStackWithResponse(ctx, "5f2b", "go", &commonservice.DeleteStackParams{IdempotencyKey: &key})
	if err != nil {
		return err
	}
	if deleted.JSON200 == nil || !deleted.JSON200.Success {
		return fmt.Errorf("no success: %s %s", deleted.Status(), deleted.Body)
	}
	fmt.Println("deleted:", deleted.JSON200.Message)
	return nil
}

func unavailable(ctx context.Context, client *commonservice.ClientWithResponses) error {
	answer, err := assign(ctx, client, "ada", "editor")
	if err != nil {
		return err
	}
	problem := answer.ApplicationproblemJSON503
	if problem == nil {
		return fmt.Errorf("no problem: %s %s", answer.Status(), answer.Body)
	}
	fmt.Printf("%d %s: %s, retryable %v\n", problem.Status, problem.Code, problem.Outcome, problem.Retryable)
	if problem.Code != "no_responders" || problem.Outcome != commonservice.NotExecuted || !problem.Retryable || problem.RequestId == "" {
		return errors.New("that is not the truth")
	}
	return nil
}
