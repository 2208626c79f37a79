"""A Common service whose Auth service and stacks have moved behind natsgate. It used to call them over HTTP, and still does:
what changed is the base URL, and that a failure now says whether anything happened.

    NATSGATE_URL=http://127.0.0.1:8080 uvicorn common_service:app
"""

import os
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

import httpx
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from natsgate_client import Gateway, Problem


@asynccontextmanager
async def lifespan(app: FastAPI):
    # Longer than the operations' own timeout, so that it is the gateway that gives up first: its answer says what it knows.
    base = os.environ.get("NATSGATE_URL", "http://127.0.0.1:8080")
    async with httpx.AsyncClient(base_url=base, timeout=10) as client:
        app.state.gateway = Gateway(client)
        yield


app = FastAPI(title="Common service", lifespan=lifespan)


def gateway(request: Request) -> Gateway:
    return request.app.state.gateway


class Member(BaseModel):
    user: str = Field(min_length=1, max_length=64)
    role: str = Field(min_length=1, max_length=64)


@app.post("/teams/{team}/members")
async def add_member(team: str, member: Member, calls: Annotated[Gateway, Depends(gateway)]):
    """Gives a user a role. To give it twice does no harm, so this is repeated even if nobody knows what became of it."""
    # Quoted as one segment: a slash in a name is part of the name.
    path = f"/users/{quote(member.user, safe='')}/roles"
    answer = await calls.call("POST", path, json={"roleId": member.role}, repeatable=True)
    return {"team": team, "message": answer["message"]}


@app.delete("/runs/{candidate}/{test}")
async def end_run(
    candidate: str,
    test: str,
    calls: Annotated[Gateway, Depends(gateway)],
    idempotency_key: Annotated[str | None, Header()] = None,
):
    """Deletes the stack of a run, once, in however many tries: all of them have the same key. A caller that repeats its own
    request sends one too."""
    key = idempotency_key or str(uuid4())
    answer = await calls.call("DELETE", f"/infra/{quote(candidate, safe='')}/{quote(test, safe='')}", key=key)
    return {"message": answer["message"]}


@app.exception_handler(Problem)
async def tell(request: Request, problem: Problem):
    """Hands on what is known, so that the next caller can decide as well as this service could."""
    # A legacy body may come with status 200; this service's own callers get a status that says so.
    status = problem.status if problem.status >= 400 else 503
    body = {
        "title": "the request was not served",
        "status": status,
        "code": problem.code,
        "outcome": problem.outcome,
        "retryable": problem.retryable,
        "detail": problem.detail,
        "request_id": problem.request_id,
    }
    headers = {} if problem.retry_after is None else {"Retry-After": f"{problem.retry_after:.0f}"}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
