// The overview: how the gateway does, in a glance.

import { el, set, sparkline, status } from "./dom.js";
import { ago, count, milliseconds, moment, plural, rate, span } from "./format.js";

export const id = "overview";
export const title = "Overview";

/** A tile: a name, a figure or state, and what belongs to it. */
function tile(name, ...children) {
  return el("div", { class: "tile" }, el("dt", {}, name), ...children.map((child) => el("dd", {}, child)));
}

export function open({ history }) {
  const parts = {};
  const part = (name, type = "span", of = "") => (parts[name] = el(type, { class: of }));
  const root = el("dl", { class: "tiles" },
    tile("Gateway", part("gateway", "div"), part("uptime", "span", "muted")),
    tile("NATS", part("nats", "div"), part("server", "span", "muted break")),
    tile("Requests/s", part("rate", "span", "figure"), part("course", "span", "course")),
    tile("Latency, p99", part("p99", "span", "figure"), part("p50", "span", "muted")),
    tile("In flight", part("flight", "span", "figure"), part("connections", "span", "muted")),
    tile("Problems/min", part("problems", "span", "figure"), part("trend", "span", "course")),
    tile("Operations", part("operations", "div"), part("counted", "span", "muted")),
    tile("Configuration", part("reload", "div"), part("generation", "span", "muted")));

  function update(document) {
    const { gateway, nats, config } = document;
    if (gateway.draining) status(parts.gateway, "warn", "Draining");
    else status(parts.gateway, gateway.ready ? "good" : "bad", gateway.ready ? "Ready" : "Not ready");
    set(parts.uptime, `natsgate ${gateway.version}, up ${span(gateway.uptime_ms)}`);
    status(parts.nats, nats.connected ? "good" : "bad", nats.connected ? "Connected" : "Not connected");
    set(parts.server, server(nats));
    set(parts.rate, rate(history.rate()));
    sparkline(parts.course, history.course());
    set(parts.p99, milliseconds(history.quantile(undefined, 0.99)));
    const half = history.quantile(undefined, 0.5);
    set(parts.p50, half === null ? "no request in the last minute" : `p50 ${milliseconds(half)}, of the last minute`);
    set(parts.flight, count(gateway.in_flight));
    set(parts.connections, plural(gateway.connections, "connection"));
    const problems = history.rate(undefined, "problems");
    set(parts.problems, rate(problems === null ? null : problems * 60));
    sparkline(parts.trend, history.course(undefined, "problems"));
    states(document.operations);
    reloaded(config);
  }

  function states(operations) {
    const of = (state) => operations.filter((operation) => operation.state.state === state).length;
    const [ready, broken, unknown] = [of("ready"), of("broken"), of("unknown")];
    if (broken > 0) status(parts.operations, "bad", `${count(broken)} with problems`);
    else if (unknown > 0) status(parts.operations, "warn", `${count(unknown)} not known`);
    else if (ready < operations.length) status(parts.operations, "idle", "Not checked yet");
    else status(parts.operations, "good", "All are ready");
    set(parts.counted, plural(operations.length, "operation"));
  }

  function reloaded(config) {
    const last = config.last_reload;
    const kinds = { applied: "good", unchanged: "good", invalid: "bad", restart_required: "warn" };
    if (!last) status(parts.reload, "good", "As started");
    else status(parts.reload, kinds[last.result] ?? "idle", words(last));
    set(parts.generation, `Generation ${config.generation}${last ? `, ${moment(last.at)} (${ago(last.at)})` : ""}`);
  }

  return { root, update };
}

/** What a reload came to, in words. */
export function words(reload) {
  switch (reload.result) {
    case "applied": return "Reloaded";
    case "unchanged": return "As before";
    case "invalid": return `Not reloaded: ${plural(reload.errors, "error")}`;
    case "restart_required": return "Needs a restart";
    default: return reload.result;
  }
}

function server(nats) {
  if (!nats.connected) return nats.last_error ?? "no connection yet";
  const { name, version } = nats.server ?? { name: "", version: "" };
  // A server without a name of its own is called by its key.
  const short = /^N[A-Z2-7]{55}$/.test(name) ? `${name.slice(0, 8)}…` : name;
  return `${short}, ${version}${nats.reconnects > 0 ? `, ${plural(nats.reconnects, "reconnect")}` : ""}`;
}
