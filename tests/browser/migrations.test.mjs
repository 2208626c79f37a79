// The section of migrations in a real browser: what a real shadow has found, told to everybody, and nothing of it run.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";

import { DESKTOP, PHONE, axe, gateway, page, shot, urls } from "./support.mjs";

const HOSTILE = "<img src=x onerror=alert(3)>";

// A bucket of its own for each gateway: they share a server, and evidence adds up over all that share a bucket.
const configuration = (legacy) => `
migration: { bucket: 'browser_${randomUUID()}' }
upstreams: { old: { url: '${legacy}' } }
operations:
  GET /users/{id}:
    request: { subject: 'browser.users.\${path.id}', timeout: 2s }
    forward: { upstream: old }
    migration:
      stage: shadow
      shadow: { noise: legacy }
      compare: { show: [/name, /updatedAt] }
      promote_when: { compared: 30, mismatch: 5%, p99_delta: 500ms, for: 1h }
  GET /orders/{id}:
    request: { subject: 'browser.orders.\${path.id}', timeout: 2s }
    forward: { upstream: old }
    migration: { stage: canary, percent: 100%, fallback: true, promote_when: { compared: 500 } }
  GET /plain: { forward: { upstream: old } }
`;

/** The legacy service. Each of its answers has a time of its own. */
function legacy() {
  let time = 0;
  const server = http.createServer((request, response) => {
    const id = request.url.split("/").at(-1);
    time += 1;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ id, name: Number(id) % 4 === 0 ? HOSTILE : "Ada", updatedAt: `at ${time}`, roles: ["a"] }));
  });
  return new Promise((resolve) => { server.listen(0, "127.0.0.1", () => resolve(server)); });
}

/** The service on NATS: as much of the protocol as it takes to answer. */
function responder(subject) {
  const { hostname, port } = new URL(urls.nats);
  const socket = net.connect(Number(port), hostname);
  let buffer = "";
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => {
      buffer += data.toString("latin1");
      for (;;) {
        const end = buffer.indexOf("\r\n");
        if (end < 0) return;
        const words = buffer.slice(0, end).split(" ");
        const length = ["MSG", "HMSG"].includes(words[0]) ? Number(words.at(-1)) + 2 : 0;
        if (buffer.length < end + 2 + length) return;
        buffer = buffer.slice(end + 2 + length);
        if (words[0] === "INFO") socket.write(`CONNECT {"verbose":false,"headers":true}\r\nSUB ${subject} 1\r\nPING\r\n`);
        if (words[0] === "PONG") resolve(socket);
        if (words[0] === "PING") socket.write("PONG\r\n");
        if (length > 0) {
          const body = JSON.stringify({ id: words[1].split(".").at(-1), name: "Ada", updatedAt: "never", roles: ["a"] });
          socket.write(`PUB ${words[3]} ${body.length}\r\n${body}\r\n`);
        }
      }
    });
  });
}

async function moving(run) {
  const [server, service] = await Promise.all([legacy(), responder("browser.users.*")]);
  try {
    await gateway(configuration(`http://127.0.0.1:${server.address().port}`), async (running) => {
      const api = async () => (await (await fetch(`${running.admin}/api/migrations`)).json()).migrations;
      for (let id = 0; id < 40; id += 1) await fetch(`${running.http}/users/${id}`);
      for (let id = 0; id < 6; id += 1) assert.equal((await fetch(`${running.http}/orders/${id}`)).status, 200);
      const until = Date.now() + 20000;
      while ((await api()).find(({ operation }) => operation === "GET /users/{id}").compared < 40) {
        assert.ok(Date.now() < until, `never compared: ${JSON.stringify(await api())}`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
      await run(running);
    });
  } finally {
    service.destroy();
    server.close();
    server.closeAllConnections();
  }
}

const row = (target, name) => target.locator("#migrations tbody tr", { hasText: name }).first();

async function opened(target, running) {
  await target.goto(`${running.admin}/#migrations`);
  await row(target, "GET /users/{id}").waitFor();
}

async function chosen(target) {
  await target.getByRole("button", { name: "GET /users/{id}", exact: true }).click();
  const detail = target.locator("#migration");
  await detail.locator(".difference").first().waitFor();
  return detail;
}

test("a shadow is told: what differs, where it is on its way, and what is missing", () => moving(async (running) => {
  await page({}, async (target) => {
    await opened(target, running);
    assert.match(await row(target, "GET /users/{id}").innerText(), /shadow[^]*40[^]*%[^]*Does not hold/);
    assert.match(await row(target, "GET /orders/{id}").innerText(), /canary 100%/);
    assert.equal(await target.locator("#migrations > div > .card > .table tbody tr").count(), 2);
    const detail = await chosen(target);
    const text = await detail.innerText();
    for (const told of ["/updatedAt", "/name", HOSTILE, "Ada", "noise", "compare.ignore", "2xx", "application/json"]) {
      assert.ok(text.includes(told), `${told} is not in\n${text}`);
    }
    assert.equal(await detail.locator("[aria-current=step]").innerText(), "shadow");
    assert.equal(await target.locator("#migration img").count(), 0, "what services say is text");
    assert.equal(await target.evaluate(() => document.activeElement.id), "migration", "the focus goes where it opens");
    await detail.getByRole("button", { name: "Close" }).click();
    assert.ok(await detail.isHidden());
    assert.equal(await target.evaluate(() => document.activeElement.textContent), "GET /users/{id}", "and comes back");
    await row(target, "GET /orders/{id}").getByRole("button").click();
    await detail.getByText("Fallbacks: 6").waitFor();
    assert.match(await detail.innerText(), /no_responders/);
    assert.match(await target.locator("#operations tbody tr", { hasText: "/plain" }).innerText(), /old[^]*legacy service/);
    assert.match(await target.locator("#operations tbody tr", { hasText: "/orders" }).innerText(), /and old, stage canary 100%/);
  });
  for (const scheme of ["light", "dark"]) {
    for (const [name, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
      await page({ scheme, ...size }, async (target) => {
        await opened(target, running);
        await chosen(target);
        await axe(target);
        const beside = await target.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(beside <= 0, `${scheme} ${name}: the page is ${beside} px wider than the screen`);
        await shot(target, `migrations-${scheme}-${name}`);
      });
    }
  }
}));

test("what is open goes on living", () => moving(async (running) => {
  await page({}, async (target) => {
    await opened(target, running);
    const detail = await chosen(target);
    assert.ok((await detail.innerText()).includes("Compared\n40"), await detail.innerText());
    await fetch(`${running.http}/users/77`);
    await detail.getByText("41", { exact: true }).first().waitFor({ timeout: 10000 });
  });
}));
