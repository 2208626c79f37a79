"""How a service calls operations behind natsgate over HTTP, and what it does when one fails: the part of the Common service
that any other service can have too.

What a failure means stands in two members of the problem (docs/problems.md):

outcome     not_executed: provably nothing happened. executed: a service answered, and refused. unknown: nobody knows.
retryable   the identical request can be sent again: it cannot be executed twice, and may succeed.
"""

import asyncio
import time
from dataclasses import dataclass

import httpx


@dataclass
class Problem(Exception):
    """An answer that is not a success, or no answer at all."""

    status: int
    code: str
    outcome: str
    retryable: bool
    detail: str
    request_id: str = "-"
    retry_after: float | None = None

    def __str__(self):
        return f"{self.code} ({self.outcome}): {self.detail} [request {self.request_id}]"


def problem_of(response):
    """The problem that an answer is, whatever shape its body has; None for a success."""
    # The headers are always there on what the gateway itself has to say, also where the body is one that old clients parse,
    # with status 200 even.
    code, outcome = response.headers.get("Natsgate-Code"), response.headers.get("Natsgate-Outcome")
    if response.is_success and code is None:
        return None
    is_problem = response.headers.get("Content-Type", "").startswith("application/problem+json")
    body = response.json() if is_problem else {}
    after = response.headers.get("Retry-After", "")
    return Problem(
        status=response.status_code,
        code=code or "refused",
        # Without the header a service has answered: the error is one of the contract.
        outcome=outcome or "executed",
        # A Retry-After is what says it where the body cannot.
        retryable=body.get("retryable", bool(after)),
        detail=body.get("detail") or response.text,
        request_id=response.headers.get("Natsgate-Request-Id") or body.get("request_id", "-"),
        retry_after=float(after) if after.isdigit() else None,
    )


class Gateway:
    """natsgate, as a service sees it that has to come to an end within a time."""

    def __init__(self, client: httpx.AsyncClient, patience: float = 5.0):
        self.client = client
        self.patience = patience

    async def call(self, method, path, *, json=None, key=None, repeatable=False):
        """The answer's JSON, or a Problem once the request cannot be repeated or the time is over.

        key         an Idempotency-Key: a stream stores what has the same key once, so a repetition is safe even if nobody
                    knows what became of the first. One key for each thing that is to happen, kept through all its tries.
        repeatable  the caller knows that the operation does no harm when it is done twice.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        until = time.monotonic() + self.patience
        pause = 0.1
        while True:
            problem = None
            try:
                response = await self.client.request(method, path, json=json, headers=headers)
                problem = problem_of(response)
                if problem is None:
                    return response.json()
            except httpx.ConnectError as error:
                problem = Problem(503, "unreachable", "not_executed", True, str(error))
            except httpx.TransportError as error:
                # Sent, perhaps, and no answer: what the gateway would call unknown.
                problem = Problem(504, "no_answer", "unknown", False, repr(error))
            safe = problem.retryable or (problem.outcome == "unknown" and (repeatable or key is not None))
            # At least what the gateway asks for; more each time, since all that wait come back.
            wait = max(pause, problem.retry_after or 0)
            if not safe or time.monotonic() + wait > until:
                raise problem
            await asyncio.sleep(wait)
            pause = min(pause * 2, 2.0)
