// What runs, and the two things that can be done: reload it, and log more or less.

import { Refused, change, read } from "./api.js";
import { el, fill, status } from "./dom.js";
import { count, moment, plural, span } from "./format.js";
import { words } from "./overview.js";

export const id = "configuration";
export const title = "Configuration";

const KINDS = { applied: "good", unchanged: "good", invalid: "bad", restart_required: "warn" };

export function open({ say, refresh }) {
  const reload = action("Reload the configuration", () => change("POST", "/api/reload", {}), outcome);
  const level = el("input", { id: "log-level", list: "log-levels", autocomplete: "off", spellcheck: "false", required: true });
  const logged = el("div", { class: "result" });
  const log = el("form", { class: "field", on: { submit: setLevel } }, level,
    el("datalist", { id: "log-levels" }, ...["error", "warn", "info", "debug", "trace"].map((value) => el("option", { value }))),
    el("button", { type: "submit" }, "Set the log level"));
  const last = el("div", { class: "last" });
  const facts = el("dl", { class: "facts" });
  const root = el("div", { class: "card two" },
    el("div", {}, el("h3", {}, "What runs"), facts),
    el("div", {},
      el("h3", {}, "Reload"),
      el("p", { class: "muted" }, "Reads the files again. All of it is put in place, or nothing."),
      reload.root, last,
      el("h3", {}, el("label", { for: "log-level" }, "Log level")),
      el("p", { class: "muted" }, "Until the process ends. A level, or a filter such as natsgate=debug,info."),
      log, logged));
  let generation = null;

  function update(document) {
    const { config } = document;
    if (document.log.level === null) {
      for (const field of [level, log.lastChild]) field.disabled = true;
    } else if (level !== globalThis.document.activeElement && level.dataset.of !== document.log.level) {
      level.value = document.log.level;
      level.dataset.of = document.log.level;
    }
    const reported = config.last_reload;
    fill(last, reported?.at ?? "", () => (reported ? reportOf(reported) : []));
    const now = JSON.stringify([config.generation, config.reloads]);
    if (generation !== now) {
      generation = now;
      describe(config, now);
    }
  }

  async function describe(config, now) {
    try {
      const { at_start: start, upstreams } = await read("/api/config");
      fill(facts, now, () => rows(config, start, upstreams));
    } catch {
      generation = null;
    }
  }

  function outcome(result) {
    say(`${words(result)}.`);
    refresh();
    return [KINDS[result.result] ?? "idle", words(result)];
  }

  async function setLevel(event) {
    event.preventDefault();
    try {
      const { level: now } = await change("PUT", "/api/log-level", { level: level.value.trim() });
      level.dataset.of = now;
      result(logged, "good", `What is logged now: ${now}`);
      say("The log level was changed.");
    } catch (error) {
      result(logged, "bad", error.message);
      say(`The log level was not changed: ${error.message}`);
    }
  }

  return { root, update };
}

function result(node, kind, text) {
  if (!node.firstChild) node.append(el("div", {}));
  status(node.firstChild, kind, text);
}

/** A button, and beside it what came of it. */
function action(label, run, told) {
  const said = el("span", { class: "result" });
  const button = el("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    try {
      result(said, ...told(await run()));
    } catch (error) {
      // What was found wrong with the files is an answer too.
      if (error instanceof Refused && error.document.result) result(said, ...told(error.document));
      else result(said, "bad", error.message);
    }
    button.disabled = false;
    button.removeAttribute("aria-busy");
    button.focus();
  });
  return { root: el("div", { class: "field" }, button, said) };
}

function reportOf(reload) {
  const shown = el("div", {});
  status(shown, KINDS[reload.result] ?? "idle", words(reload));
  const changes = [
    ...(reload.needs_restart.length > 0 ? [`Changed, and read at start only: ${reload.needs_restart.join(", ")}`] : []),
    ...(reload.added.length > 0 ? [`New: ${reload.added.join(", ")}`] : []),
    ...(reload.removed.length > 0 ? [`Gone: ${reload.removed.join(", ")}`] : []),
  ];
  const found = [reload.errors > 0 ? plural(reload.errors, "error") : "", reload.warnings > 0 ? plural(reload.warnings, "warning") : ""];
  const causes = { api: "by this listener", files: "since files had changed", signal: "by a signal" };
  const nodes = [
    el("h4", {}, "The last one"), shown,
    el("p", { class: "muted" }, `${moment(reload.at)}, ${causes[reload.cause] ?? reload.cause}, in ${reload.duration_ms} ms`),
    ...changes.map((text) => el("p", { class: "break" }, text)),
  ];
  if (reload.report) {
    nodes.push(el("details", { open: reload.errors > 0 },
      el("summary", {}, found.filter(Boolean).join(", ") || "What was found"),
      el("pre", { tabindex: "0", role: "region", "aria-label": "What was found in the files" }, reload.report)));
  }
  return nodes;
}

function rows(config, { server, nats }, upstreams) {
  const yes = (value, other = "no") => (value ? "yes" : other);
  const all = [
    ["File", config.file],
    ["Generation", String(config.generation)],
    ["Reloads", Object.entries(config.reloads).map(([name, number]) => `${name.replace("_", " ")} ${number}`).join(", ")],
    ["Public listener", `${server.listen}${server.tls ? ", TLS" : ""}${server.client_certificates ? " with client certificates" : ""}`],
    ["Admin listener", `${server.admin}, ${server.admin_token ? "by token" : "from this host alone"}`],
    ["In flight at most", count(server.in_flight)],
    ["Connections at most", count(server.max_connections)],
    ["When it stops", `${span(server.drain_delay_ms)} not ready, then ${span(server.drain_ms)} for what is in flight`],
    ["Readiness needs NATS", yes(server.ready_requires.includes("nats"))],
    ["Trusted proxies", String(server.trusted_proxies)],
    ["NATS servers", nats.servers.join(", ")],
    ...upstreams.map(({ name, urls }) => [`Legacy service ${name}`, urls.join(", ")]),
    ["NATS client", `${nats.name}, ${nats.authentication === "none" ? "no authentication" : `authenticates by ${nats.authentication}`}${nats.tls ? ", TLS" : ""}`],
  ];
  return all.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { class: "break" }, value)]);
}
