// A client of the Common service over the types that `make sdk` generates. It says what it got and exits 1 if that is not
// what the contract promises.
//
//   node client.js BASE_URL               both operations, and an error of the contract
//   node client.js BASE_URL unavailable   a problem of the gateway, while no Auth service runs

import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "../../target/sdk/typescript/common-service.js";

type Problem = components["schemas"]["Problem"];

/** Either of the error bodies that an operation may have: what tells them apart is that a problem has a code. */
function isProblem(error: object): error is Problem {
  return "code" in error;
}

const [baseUrl, mode] = process.argv.slice(2);
assert(baseUrl !== undefined, "usage: client.js BASE_URL [unavailable]");
const client = createClient<paths>({ baseUrl, signal: AbortSignal.timeout(10_000) });

function assignRole(userId: string, roleId: string) {
  return client.POST("/users/{userId}/roles", { params: { path: { userId } }, body: { roleId } });
}

async function works(): Promise<void> {
  // `data` is there on success and `error` otherwise; the compiler knows the type of either.
  const assigned = await assignRole("ada", "editor");
  assert(assigned.data !== undefined, `no success: ${assigned.response.status}`);
  assert(assigned.data.success);
  console.log(`assigned: ${assigned.data.message}`);

  const refused = await assignRole("nobody", "editor");
  assert(refused.error !== undefined && !isProblem(refused.error), "no error of the contract");
  console.log(`refused with ${refused.response.status}: ${refused.error.error}`);

  const deleted = await client.DELETE("/infra/{userhash}/{testId}", {
    // With a key, a repetition stores nothing: it may be sent again if nobody knows what became of it.
    params: { path: { userhash: "5f2b", testId: "typescript" }, header: { "Idempotency-Key": randomUUID() } },
  });
  assert(deleted.data?.success, `no success: ${deleted.response.status}`);
  console.log(`deleted: ${deleted.data.message}`);
}

async function unavailable(): Promise<void> {
  const { error: problem, response } = await assignRole("ada", "editor");
  assert(problem !== undefined && isProblem(problem), "no problem");
  console.log(`${response.status} ${problem.code}: ${problem.outcome}, retryable ${problem.retryable}`);
  assert.equal(problem.code, "no_responders");
  assert.equal(problem.outcome, "not_executed");
  assert.equal(problem.retryable, true);
  assert.equal(problem.status, response.status);
  assert.notEqual(problem.request_id, "");
}

await (mode === "unavailable" ? unavailable() : works());
