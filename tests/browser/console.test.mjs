// The console in a real browser: it loads, it lives, it asks nobody else, everybody can use it, and nothing gets into it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { DESKTOP, PHONE, axe, call, gateway, page, shot, urls } from "./support.mjs";

const KEY = "a-key-for-the-browser-tests";
const TOKEN = "a-token-for-the-browser-tests";
const HOSTILE = "<svg/onload=alert(1)>";
const CALLER = "<img src=x onerror=alert(2)>";

/** The console, once it shows something. */
async function opened(target, admin = urls.admin, path = "/") {
  await target.goto(admin + path);
  await target.locator("#operations tbody tr").first().waitFor();
}

const row = (target, name) => target.locator("#operations tbody tr", { hasText: name });

async function fits(target) {
  const beside = await target.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(beside <= 0, `the page is ${beside} px wider than the screen`);
}

async function traffic() {
  for (let index = 0; index < 12; index += 1) {
    await call("POST", "/users/grace/roles", { body: { roleId: "viewer" } });
    await call("DELETE", `/infra/5f2b/run-${index}`);
  }
  await call("POST", "/users/nobody/roles", { body: { roleId: "viewer" } });
  await call("POST", "/users/grace/roles", { body: { wrong: true } });
  await call("GET", "/there/is/nothing");
}

test("it shows what runs, at / and /console", () => page({}, async (target) => {
  for (const path of ["/", "/console"]) {
    await opened(target, urls.admin, path);
    assert.match(await target.locator("#state").innerText(), /Ready/);
    assert.match(await row(target, "assignUserRole").innerText(), /auth\.users\.roles\.assign/);
    assert.match(await row(target, "deleteStack").innerText(), /stack\.delete[^]*STACKS/);
    await target.locator("#streams", { hasText: "STACKS" }).waitFor();
    await target.locator("#configuration", { hasText: "natsgate.yaml" }).waitFor();
  }
}));

test("it is live without a page load", () => page({}, async (target) => {
  await opened(target);
  await target.evaluate(() => { globalThis.mark = "the same page"; });
  const before = await target.locator("#problems tbody tr").count();
  const { id } = await call("POST", "/users/grace/roles", { body: { wrong: true } });
  await target.locator("#problems tbody tr", { hasText: id }).waitFor({ timeout: 10000 });
  assert.equal(await target.locator("#problems tbody tr").count(), before + 1);
  const rate = row(target, "assignUserRole").locator("td").nth(2);
  for (let index = 0; index < 20; index += 1) await call("POST", "/users/grace/roles", { body: { roleId: "viewer" } });
  await target.waitForFunction((cell) => Number.parseFloat(cell.querySelector(".pair > :last-child").textContent) > 0, await rate.elementHandle(), { timeout: 10000 });
  assert.equal(await target.evaluate(() => globalThis.mark), "the same page");
}));

test("a hidden page does not ask", () => page({}, async (target, seen) => {
  await opened(target);
  const set = (state) => target.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await set(true);
  const asked = () => seen.filter((url) => url.endsWith("/api/status")).length;
  await target.waitForTimeout(500);
  const before = asked();
  await target.waitForTimeout(4500);
  assert.equal(asked(), before);
  await set(false);
  await target.waitForTimeout(1000);
  assert.ok(asked() > before);
}));

for (const scheme of ["light", "dark"]) {
  for (const [name, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    test(`${name}, ${scheme}: nothing that axe calls serious, nothing beside the page`, () => page({ scheme, ...size }, async (target) => {
      await opened(target);
      for (let index = 0; index < 4; index += 1) {
        await traffic();
        await target.waitForTimeout(1500);
      }
      await target.locator("#problems tbody tr").nth(2).waitFor();
      await axe(target);
      await shot(target, `console-${name}-${scheme}`);
      await fits(target);
    }));
  }
}

test("everything is reached by the keyboard, visibly", () => page({}, async (target) => {
  await opened(target);
  await target.locator("#problems .copy").first().waitFor();
  const wanted = await target.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, summary, pre[tabindex='0']")];
    const shown = all.filter((node) => node.checkVisibility() && !node.disabled);
    shown.forEach((node, index) => { node.dataset.stop = index; });
    return shown.length;
  });
  assert.ok(wanted > 20, `${wanted}`);
  const reached = new Set();
  for (let index = 0; index < wanted + 10; index += 1) {
    await target.keyboard.press("Tab");
    const stop = await target.evaluate(() => {
      const node = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      return { stop: node.dataset.stop, visible: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2, html: node.outerHTML.slice(0, 200) };
    });
    if (stop.stop === undefined) continue;
    assert.ok(stop.visible, `the focus is not seen on ${stop.html}`);
    reached.add(stop.stop);
  }
  // Rows may have come in the meantime, none may have been left out.
  assert.equal(reached.size, wanted);
}));

test("the skip link, the headers that sort, and the filters work by keyboard", () => page({}, async (target) => {
  await traffic();
  await opened(target);
  await target.keyboard.press("Tab");
  assert.equal(await target.evaluate(() => document.activeElement.className), "skip");
  await target.keyboard.press("Enter");
  assert.equal(await target.evaluate(() => document.activeElement.id), "main");
  const header = target.locator("#operations th", { hasText: "Operation" }).first();
  assert.equal(await header.getAttribute("aria-sort"), "ascending");
  await header.locator("button").focus();
  await target.keyboard.press("Enter");
  assert.equal(await header.getAttribute("aria-sort"), "descending");
  assert.match(await target.locator("#operations tbody tr").first().innerText(), /deleteStack/);
  await target.locator("#operations-filter").fill("stacks");
  assert.equal(await target.locator("#operations tbody tr").count(), 1);
  const { id } = await call("GET", "/there/is/nothing");
  await target.locator("#problems-id").fill(id);
  await target.locator("#problems tbody tr", { hasText: id }).waitFor();
  assert.equal(await target.locator("#problems tbody tr").count(), 1);
  await target.locator("#problems-id").fill("");
  await target.locator("#problems-code").selectOption("=not_found");
  const codes = await target.locator("#problems tbody .sub code").allInnerTexts();
  assert.ok(codes.includes("not_found") && !codes.includes("invalid_body"), codes.join());
}));

test("the configuration is reloaded and the log level set, each with its result", () => page({ faults: ["422"], permissions: ["clipboard-read", "clipboard-write"] }, async (target) => {
  await opened(target);
  await target.getByRole("button", { name: "Reload the configuration" }).click();
  await target.locator("#configuration .field .result", { hasText: "Reloaded" }).waitFor();
  await target.locator("#told", { hasText: "Reloaded" }).waitFor({ state: "attached" });
  await target.locator("#log-level").fill("natsgate=nonsense=much");
  await target.keyboard.press("Enter");
  await target.locator("#configuration .result .bad").waitFor();
  await target.locator("#log-level").fill("info,async_nats=off");
  await target.getByRole("button", { name: "Set the log level" }).click();
  await target.locator("#configuration .result .good", { hasText: "async_nats=off" }).waitFor();
  const { id } = await call("GET", "/there/is/nothing");
  const problem = target.locator("#problems tbody tr", { hasText: id });
  await problem.getByRole("button", { name: "Copy" }).click();
  await problem.getByRole("button", { name: "Copy" }).filter({ hasText: "Copied" }).waitFor();
  assert.equal(await target.evaluate(() => navigator.clipboard.readText()), id);
}));

const OWN = `
server: { admin_token: ${TOKEN} }
operations:
  GET /things/{id}: { request: { subject: "nobody.\${path.id}" } }
`;

test("with a token it asks for it, keeps it for the tab, and forgets it", () => gateway(OWN, ({ admin }) =>
  page({ faults: ["401"] }, async (target) => {
    await target.goto(admin);
    const field = target.locator("#token");
    await field.waitFor();
    assert.equal(await target.evaluate(() => document.activeElement.id), "token");
    await axe(target);
    await shot(target, "console-token");
    await field.fill("the-wrong-token-that-it-is");
    await target.keyboard.press("Enter");
    await target.locator("#token-fault", { hasText: "not the token" }).waitFor();
    await field.fill(TOKEN);
    await target.keyboard.press("Enter");
    await row(target, "/things/{id}").waitFor();
    assert.equal(await target.evaluate(() => document.cookie + localStorage.length), "0");
    await target.reload();
    await row(target, "/things/{id}").waitFor();
    await target.getByRole("button", { name: "Forget the token" }).click();
    await field.waitFor();
    assert.equal(await target.evaluate(() => sessionStorage.length), 0);
  })));

test("what comes from outside stays text", () => gateway(`
security: { services: { api_key: { keys: keys.yaml } } }
operations:
  "GET /${HOSTILE}/{id}":
    request: { subject: "nobody.\${path.id}" }
    security: [{ services: [] }]
`, ({ http, admin }) => page({}, async (target) => {
  let alerts = 0;
  target.on("dialog", (dialog) => { alerts += 1; dialog.dismiss(); });
  const answer = await fetch(`${http}/${encodeURI(HOSTILE)}/1`, { headers: { "X-API-Key": KEY } });
  assert.equal(answer.headers.get("natsgate-code"), "no_responders");
  await opened(target, admin);
  await target.locator("#problems tbody tr").first().waitFor();
  const text = await target.locator("#problems tbody").innerText();
  assert.ok(text.includes(HOSTILE) && text.includes(CALLER), text);
  assert.ok((await target.locator("#operations tbody").innerText()).includes(HOSTILE));
  assert.equal(await target.locator("main img, main svg[onload], main script").count(), 0);
  assert.equal(alerts, 0);
}), { "keys.yaml": `"${CALLER}": ${createHash("sha256").update(KEY).digest("hex")}\n` }));

test("a gateway that has gone is told", () => gateway(`
operations:
  GET /things: { request: { subject: nobody } }
`, ({ admin, stop }) => page({ faults: ["ERR_CONNECTION", "ERR_EMPTY", "Failed to load"] }, async (target) => {
  await opened(target, admin);
  await stop();
  await target.locator("#trouble", { hasText: "cannot be reached" }).waitFor({ timeout: 15000 });
  assert.match(await target.locator("#state").innerText(), /Unreachable/);
  assert.match(await target.locator("#age").innerText(), /next try in/);
  const colour = (selector) => target.locator(selector).first().evaluate((node) => getComputedStyle(node).color);
  assert.equal(await colour("#overview .status"), await colour("#overview dt"), "what is old does not look like news");
  await axe(target);
  await shot(target, "console-unreachable");
})));

test("a configuration with errors is shown with them, and what ran runs on", () => gateway(`
operations:
  GET /things: { request: { subject: nobody } }
`, ({ admin, file }) => page({ faults: ["422"], ...PHONE }, async (target) => {
  await opened(target, admin);
  writeFileSync(file, `${readFileSync(file, "utf8")}nonsense: true\n`);
  await target.getByRole("button", { name: "Reload the configuration" }).click();
  await target.locator("#configuration .field .result", { hasText: "1 error" }).waitFor();
  await target.locator("#configuration pre", { hasText: "unknown key `nonsense`" }).waitFor();
  await target.locator("#overview", { hasText: "Not reloaded" }).waitFor();
  await axe(target);
  await fits(target);
  await shot(target, "console-invalid");
  assert.equal(await target.locator("#operations tbody tr").count(), 1);
})));
