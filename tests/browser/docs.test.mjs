// The docs page in a real browser: it shows the operations, asks nobody else, keeps its own policy, and calls only where
// operations are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DESKTOP, PHONE, axe, gateway, page, shot, urls } from "./support.mjs";

const CONFIGURATION = `
server: { docs: /api/docs }
operations:
  GET /things/{id}:
    request: { subject: "things.\${path.id}" }
`;

/** The page, once it shows operations. `page` fails on a request that leaves the host, and on what the policy forbids. */
async function opened(target, url) {
  await target.goto(url);
  await target.locator(".opblock").first().waitFor();
}

test("it shows the operations and their answers", () => page(DESKTOP, async (target, seen) => {
  await opened(target, `${urls.admin}/docs`);
  const operations = await target.locator(".opblock-summary-path").allInnerTexts();
  assert.deepEqual(operations.map((text) => text.replaceAll("\u200b", "")), ["/users/{userId}/roles", "/infra/{userhash}/{testId}"]);
  await target.locator("#operations-users-assignUserRole .opblock-summary-control").click();
  const answers = target.locator("#operations-users-assignUserRole .responses-wrapper");
  await answers.waitFor();
  const text = await answers.innerText();
  for (const part of ["503", "no_responders", "application/problem+json", "Natsgate-Outcome"]) assert.ok(text.includes(part), `${part} is not there: ${text}`);
  assert.equal(await target.locator(".try-out__btn").count(), 0, "this listener has no operations to call");
  assert.ok(seen.every((url) => url.startsWith(urls.admin) || url.startsWith("data:")), seen.join("\n"));
  await shot(target, "docs-desktop");
}));

test("it fits a phone", () => page(PHONE, async (target) => {
  await opened(target, `${urls.admin}/docs`);
  const beside = await target.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(beside <= 0, `the page is ${beside} px wider than the screen`);
  await shot(target, "docs-phone");
}));

test("under another path of the public listener, operations can be called", () => gateway(CONFIGURATION, ({ http }) => page({ ...DESKTOP, faults: ["503"] }, async (target) => {
  await opened(target, `${http}/api/docs/`);
  assert.equal(new URL(target.url()).pathname, "/api/docs");
  await target.locator(".opblock-summary-control").first().click();
  await target.locator(".try-out__btn").click();
  await target.locator("input[placeholder=id]").fill("a");
  await target.locator("button.execute").click();
  // Nobody listens: the answer is a problem, and the page shows it.
  await target.locator(".live-responses-table", { hasText: "no_responders" }).waitFor();
})));

test("everybody can use it", () => page(DESKTOP, async (target) => {
  await opened(target, `${urls.admin}/docs`);
  await axe(target);
  await target.locator(".opblock-summary-control").last().press("Enter");
  await target.locator(".responses-wrapper").waitFor();
  await axe(target);
}));
