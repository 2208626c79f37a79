// What the browser tests stand on: the demo's addresses, one browser, pages that may talk to nobody else, and axe.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";

const tools = process.env.BROWSER_TOOLS;
const require = createRequire(`${tools}/package.json`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = path.join(tools, "shots");

/** Where the demo listens. */
export const urls = { http: process.env.DEMO_URL, admin: process.env.DEMO_ADMIN, nats: process.env.DEMO_NATS };

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

let browser = null;
after(() => browser?.close());

async function start() {
  const args = ["--disable-background-networking", "--disable-component-update", "--no-first-run"];
  // Root, as in a container, has no sandbox to give.
  if (process.getuid() === 0) args.push("--no-sandbox");
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM, args });
  return browser;
}

/**
 * Opens a page, runs `run(page, seen)` and closes it. Fails on an error of the page, and on a request that would leave the
 * hosts in `hosts`. `seen` has every request. `faults` are errors of the page that a test expects.
 */
export async function page(options, run) {
  const { scheme = "light", width = DESKTOP.width, height = DESKTOP.height, faults = [], ...more } = options;
  const context = await (await start()).newContext({
    viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", hasTouch: width < 500, ...more,
  });
  const seen = [];
  const wrong = [];
  await context.route("**", (route) => {
    const url = new URL(route.request().url());
    seen.push(route.request().url());
    if (["127.0.0.1", "localhost"].includes(url.hostname) || url.protocol === "data:" || url.protocol === "blob:") return route.continue();
    wrong.push(`a request left the host: ${url}`);
    return route.abort();
  });
  const opened = await context.newPage();
  opened.on("pageerror", (error) => wrong.push(`an error of the page: ${error}`));
  opened.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !faults.some((fault) => text.includes(fault))) wrong.push(`the page complains: ${text}`);
  });
  try {
    await run(opened, seen);
    assert.deepEqual(wrong, []);
  } catch (error) {
    await shot(opened, `failed-${Date.now()}`).catch(() => {});
    if (wrong.length > 0) console.error(wrong.join("\n"));
    throw error;
  } finally {
    await context.close();
  }
}

/** No violation that axe calls serious or critical. */
export async function axe(opened) {
  // In a world of its own, since the page's own policy lets nothing in.
  const session = await opened.context().newCDPSession(opened);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
    return result.value;
  };
  await evaluate(`${AXE}; 0`);
  const { violations, passes } = await evaluate(
    "axe.run(document).then(({ violations, passes }) => ({ violations, passes: passes.length }))");
  assert.ok(passes > 10, "axe has looked at the page");
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const told = serious.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`);
  assert.equal(told.join("\n"), "");
}

/** A screenshot of the whole page, in .tools/browser/shots. */
export async function shot(opened, name) {
  mkdirSync(SHOTS, { recursive: true });
  await opened.evaluate(() => scrollTo(0, 0));
  await opened.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

/** A request to the demo, as a client makes it. */
export async function call(method, target, { headers = {}, body } = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(urls.http + target, { method, headers: { ...json, ...headers }, body: body && JSON.stringify(body) });
  return { status: answer.status, id: answer.headers.get("natsgate-request-id"), text: await answer.text() };
}

/** A gateway of its own with this configuration and files beside it, while `run({ http, admin, file })` runs. */
export async function gateway(configuration, run, files = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), "natsgate-browser-"));
  const file = path.join(directory, "natsgate.yaml");
  const ready = path.join(directory, "ready");
  for (const [name, text] of Object.entries({ ...files, "natsgate.yaml": configuration })) writeFileSync(path.join(directory, name), text);
  const binary = path.join(process.env.CARGO_TARGET_DIR ?? "target", "debug", "natsgate");
  const args = ["serve", "--config", file, "--nats", urls.nats, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--ready-file", ready];
  const process_ = spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
  let lines = "";
  process_.stdout.on("data", (data) => { lines += data; });
  const ended = new Promise((resolve) => { process_.on("exit", resolve); });
  try {
    const until = Date.now() + 20000;
    let addresses = null;
    while (addresses === null) {
      try {
        addresses = JSON.parse(readFileSync(ready, "utf8"));
      } catch {
        assert.ok(Date.now() < until && process_.exitCode === null, `the gateway did not start:\n${lines}`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
    }
    await run({ http: addresses.http, admin: addresses.admin, file, stop: () => { process_.kill("SIGTERM"); return ended; } });
  } finally {
    process_.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}
