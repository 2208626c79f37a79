"""A client of the Common service over the package that `make sdk` generates. It says what it got and exits 1 if that is not
what the contract promises.

Usage: client.py BASE_URL                both operations, and an error of the contract
       client.py BASE_URL unavailable    a problem of the gateway, while no Auth service runs
"""

import sys
from uuid import uuid4

from common_service_client import Client
from common_service_client.api.infra import delete_stack
from common_service_client.api.users import assign_user_role
from common_service_client.models import Error, Problem, ProblemOutcome, Result, RoleAssignment


def expect(kind, answer):
    """The parsed body, if it is of the type that the caller can go on with."""
    if isinstance(answer.parsed, kind):
        return answer.parsed
    sys.exit(f"expected a {kind.__name__}, got {answer.status_code}: {answer.content.decode()}")


def works(client):
    assigned = expect(Result, assign_user_role.sync_detailed("ada", client=client, body=RoleAssignment("editor")))
    print(f"assigned: {assigned.message}")
    refused = expect(Error, assign_user_role.sync_detailed("nobody", client=client, body=RoleAssignment("editor")))
    print(f"refused: {refused.error}")
    # What the gateway refuses of a body has the same status as what the service refuses, and another type.
    invalid = expect(Problem, assign_user_role.sync_detailed("ada", client=client, body=RoleAssignment("")))
    print(f"{invalid.status} {invalid.code}: {invalid.outcome}")
    # With a key, a repetition stores nothing: it may be sent again if nobody knows what became of it.
    deleted = expect(Result, delete_stack.sync_detailed("5f2b", "python", client=client, idempotency_key=str(uuid4())))
    print(f"deleted: {deleted.message}")
    return assigned.success and deleted.success and invalid.code == "invalid_body"


def unavailable(client):
    problem = expect(Problem, assign_user_role.sync_detailed("ada", client=client, body=RoleAssignment("editor")))
    print(f"{problem.status} {problem.code}: {problem.outcome}, retryable {problem.retryable}")
    truth = (problem.code, problem.outcome, problem.retryable)
    return truth == ("no_responders", ProblemOutcome.NOT_EXECUTED, True) and problem.request_id


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        print(__doc__)
        return 2
    run = unavailable if arguments[1:] == ["unavailable"] else works
    with Client(base_url=arguments[0], timeout=10) as client:
        return 0 if run(client) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
