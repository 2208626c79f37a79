// What the console makes of two looks, whatever happened to the gateway between them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const text = readFileSync(new URL("../../src/admin/console/history.js", import.meta.url));
const { History } = await import(`data:text/javascript;base64,${text.toString("base64")}`);

function look(started, uptime, requests, problems = {}) {
  const figures = { requests, problems, latency: { counts: [requests, 0] } };
  return {
    gateway: { started, uptime_ms: uptime },
    operations: [{ name: "a", figures }],
    unmatched: { requests: 0, problems: {}, latency: { counts: [0, 0] } },
    latency_bounds_ms: [1],
  };
}

test("a gateway that was started anew begins anew, also one that is seen later after its start than the last one was", () => {
  const history = new History();
  history.add(look("2026-01-01T00:00:00.000Z", 2000, 900));
  history.add(look("2026-01-01T01:00:00.000Z", 60000, 1000));
  assert.equal(history.rate("a"), null);
  history.add(look("2026-01-01T01:00:00.000Z", 62000, 1010));
  assert.equal(history.rate("a"), 5);
});

test("an operation that came back has no less than nothing", () => {
  const history = new History();
  history.add(look("2026-01-01T00:00:00.000Z", 2000, 9, { overloaded: 9 }));
  history.add(look("2026-01-01T00:00:00.000Z", 4000, 1, { overloaded: 1 }));
  assert.equal(history.recent("a", "overloaded"), 0);
  assert.equal(history.rate("a"), 0);
});
