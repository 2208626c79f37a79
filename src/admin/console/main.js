// The page: asks for everything every two seconds, hands it to the sections, and says when it cannot. A section is one
// module with `id`, `title` (and `short`, for the navigation), and `open(context)`, which gives `{ root, update(document) }`; a further one is one line here.

import { Refused, read, token } from "./api.js";
import { el, set, status } from "./dom.js";
import { ago, span } from "./format.js";
import { History } from "./history.js";
import * as configuration from "./configuration.js";
import * as keys from "./keys.js";
import * as migrations from "./migrations.js";
import * as operations from "./operations.js";
import * as overview from "./overview.js";
import * as problems from "./problems.js";
import * as streams from "./streams.js";

const SECTIONS = [overview, operations, migrations, streams, keys, problems, configuration];
const EVERY = 2000;
const LONGEST_WAIT = 30000;
const SAID = 5000;

const at = (id) => document.getElementById(id);
const history = new History();
const context = { history, say, refresh, at: 0 };
const open = [];
let timer = null;
let failures = 0;
let former = null;
let retryAt = 0;

/** Tells whoever hears the page of a change. What comes together is heard one after the other. */
function say(text) {
  const said = el("p", {}, text);
  at("told").append(said);
  setTimeout(() => said.remove(), SAID);
}

function build() {
  for (const section of SECTIONS) {
    const { root, update } = section.open(context);
    const heading = `${section.id}-title`;
    at("sections").append(
      el("section", { id: section.id, "aria-labelledby": heading },
        el("h2", { id: heading, tabindex: "-1" }, section.title), root));
    at("nav").append(el("li", {}, el("a", { href: `#${section.id}` }, section.short ?? section.title)));
    open.push(update);
  }
}

function show(what) {
  at("token-form").hidden = what !== "token";
  at("sections").hidden = what !== "sections";
  at("nav").parentElement.hidden = what !== "sections";
  at("forget").hidden = !token.get();
}

function trouble(text) {
  at("trouble").hidden = text === null;
  set(at("trouble"), text ?? "");
}

/** One look. Only one is under way at a time. */
async function look() {
  clearTimeout(timer);
  timer = null;
  try {
    const document = await read("/api/status");
    failures = 0;
    retryAt = 0;
    context.at = Date.now();
    history.add(document);
    show("sections");
    trouble(null);
    at("sections").classList.remove("stale");
    open.forEach((update) => update(document));
    bar(document);
    changes(document);
  } catch (error) {
    failed(error);
    return;
  }
  next(EVERY);
}

function failed(error) {
  if (error instanceof Refused && error.status === 401) {
    ask(token.get() ? error.message : "");
    return;
  }
  failures += 1;
  at("sections").classList.add("stale");
  const wait = Math.min(EVERY * 2 ** Math.min(failures, 6), LONGEST_WAIT);
  retryAt = Date.now() + wait;
  if (error instanceof Refused) {
    trouble(`The gateway refuses this page: ${error.message}.`);
  } else {
    status(at("state"), "bad", "Unreachable");
    trouble("The gateway cannot be reached. What stands here is from the last answer; this page goes on trying.");
  }
  age();
  next(wait);
}

function next(wait) {
  if (!document.hidden) timer = setTimeout(look, wait);
}

function refresh() {
  if (timer !== null) return look();
  return undefined;
}

/** Asks for the token; `fault` is what was wrong with the last one. */
function ask(fault) {
  token.forget();
  trouble(null);
  status(at("state"), "idle", "Locked");
  set(at("age"), "");
  context.at = 0;
  const opens = at("token-form").hidden;
  show("token");
  set(at("token-fault"), fault);
  if (opens || fault) at("token").focus();
}

function bar(document) {
  const { ready, draining } = document.gateway;
  const broken = document.operations.filter((operation) => operation.state.state === "broken").length;
  if (draining) status(at("state"), "warn", "Draining");
  else if (!ready) status(at("state"), "bad", "Not ready");
  else if (!document.nats.connected) status(at("state"), "bad", "Ready, without NATS");
  else if (broken > 0) status(at("state"), "warn", "Ready, with problems");
  else status(at("state"), "good", "Ready");
  age();
}

function age() {
  if (!context.at) return;
  const old = Date.now() - context.at;
  const text = failures > 0 && retryAt > Date.now()
    ? `Answered ${span(old)} ago, next try in ${span(retryAt - Date.now() + 999)}`
    : old < 2 * EVERY + 1500 ? "Live" : `Answered ${ago(new Date(context.at).toISOString())}`;
  set(at("age"), text);
}

/** What has changed since the last look, for whoever does not see it. */
function changes(document) {
  const now = {
    gateway: at("state").textContent,
    nats: document.nats.connected ? "NATS is connected" : "NATS is not connected",
    generation: document.config.generation,
    states: new Map(document.operations.map((operation) => [operation.name, operation.state.state])),
  };
  if (former) {
    const news = [];
    if (former.gateway !== now.gateway) news.push(`The gateway is ${now.gateway.toLowerCase()}`);
    if (former.nats !== now.nats) news.push(now.nats);
    if (former.generation !== now.generation) news.push(`Configuration ${now.generation} is in place`);
    for (const [name, state] of now.states) {
      const before = former.states.get(name);
      if (before && before !== state && state !== "unchecked") news.push(`${name} is ${state}`);
    }
    if (news.length > 0) say(`${news.slice(0, 5).join(". ")}.`);
  }
  former = now;
}

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = at("token");
  token.set(field.value.trim());
  field.value = "";
  look();
});
at("forget").addEventListener("click", () => {
  clearTimeout(timer);
  ask("");
});
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  timer = null;
  if (!document.hidden && at("token-form").hidden) look();
});
setInterval(age, 1000);

build();
look();
