// The operations: where each goes, whether it can, and how it does.

import { el, set, sparkline, status } from "./dom.js";
import { count, milliseconds, plural, rate } from "./format.js";
import { stageOf } from "./migration.js";
import { Table, made } from "./table.js";

export const id = "operations";
export const title = "Operations";

const STATES = {
  ready: ["good", "Ready"],
  broken: ["bad", "Broken"],
  unknown: ["warn", "Not known"],
  unchecked: ["idle", "Not checked yet"],
};
/** More rows than these are shown when asked for. */
const FIRST = 100;

export function open({ history }) {
  const table = new Table({
    caption: "Operations",
    key: (row) => row.name,
    empty: "No operation fits.",
    by: "Operation",
    columns: [
      { label: "Operation", head: true, wide: true, sort: (row) => row.name, cell: made(named, name) },
      { label: "Goes to", wide: true, sort: (row) => row.binding.subject ?? row.binding.upstream ?? "", cell: made(bound, binding) },
      { label: "State", wide: true, sort: (row) => row.state.state, cell: state },
      { label: "Requests/s", number: true, sort: (row) => history.rate(row.name) ?? 0, cell: course },
      { label: "p50", number: true, sort: (row) => latency(row, "p50")[0], cell: took("p50") },
      { label: "p99", number: true, sort: (row) => latency(row, "p99")[0], cell: took("p99") },
      { label: "In flight", number: true, sort: (row) => row.in_flight, cell: flight },
      { label: "Problems", wide: true, number: true, sort: total, cell: made((row) => problemsKey(row), problems) },
    ],
  });
  let rows = [];
  let all = false;
  const filter = el("input", { type: "search", id: "operations-filter", autocomplete: "off", on: { input: show } });
  const more = el("button", { type: "button", class: "plain", hidden: true, on: { click: () => { all = true; show(); } } });
  const root = el("div", { class: "card" },
    el("div", { class: "tools" }, el("label", { for: "operations-filter" }, "Show operations with"), filter),
    table.root, more);

  function show() {
    const wanted = filter.value.trim().toLowerCase();
    const fits = (row) => `${row.name} ${row.method} ${row.path} ${row.binding.subject ?? ""} ${row.binding.stream ?? ""} ${row.binding.upstream ?? ""} ${row.migration?.stage ?? ""} ${row.state.state}`
      .toLowerCase().includes(wanted);
    const found = wanted ? rows.filter(fits) : rows;
    table.update(all ? found : found.slice(0, FIRST));
    more.hidden = all || found.length <= FIRST;
    set(more, `Show all ${count(found.length)}`);
  }

  /** Of the last minute, or where that had no request, since the start. */
  function latency(row, part) {
    const recent = history.quantile(row.name, part === "p50" ? 0.5 : 0.99);
    return recent === null ? [row.figures?.latency[`${part}_ms`] ?? null, false] : [recent, true];
  }

  function took(part) {
    return (node, row) => {
      const [value, recent] = latency(row, part);
      set(node, value !== null && !recent ? `${milliseconds(value)} earlier` : milliseconds(value));
      node.classList.toggle("muted", !recent);
    };
  }

  function course(node, row) {
    if (!node.firstChild) node.append(el("span", { class: "course" }), el("span", {}));
    node.classList.add("pair");
    sparkline(node.firstChild, history.course(row.name));
    set(node.lastChild, rate(history.rate(row.name)));
  }

  function problemsKey(row) {
    const codes = Object.entries(row.figures?.problems ?? {});
    return JSON.stringify(codes.map(([code, number]) => [code, number, history.recent(row.name, code) > 0]));
  }

  function problems(row) {
    const codes = Object.entries(row.figures?.problems ?? {}).sort((one, other) => other[1] - one[1]);
    if (codes.length === 0) return [el("span", { class: "muted" }, "none")];
    const item = ([code, number]) => {
      const recent = history.recent(row.name, code);
      return el("li", { class: recent > 0 ? "recent" : null }, el("code", {}, code), ` ${count(number)}`,
        recent > 0 ? el("span", { class: "more" }, ` +${count(recent)} in a minute`) : null);
    };
    return [el("ul", { class: "codes" }, ...codes.map(item))];
  }

  return { root, update(document) { rows = document.operations; show(); } };
}

const named = (row) => `${row.name} ${row.method} ${row.path}`;

function name(row) {
  const route = [el("span", { class: "method" }, row.method), " ", el("span", { class: "break mono" }, row.path)];
  const is = row.name === `${row.method} ${row.path}`;
  return is ? [el("div", { class: "name" }, ...route)] : [el("div", { class: "name break" }, row.name), el("div", { class: "sub" }, ...route)];
}

const bound = (row) => JSON.stringify([row.binding, row.migration]);

function binding({ binding: { kind, subject, stream, upstream }, migration }) {
  if (kind === "forward") return [el("div", { class: "break" }, upstream), el("div", { class: "sub" }, "legacy service")];
  const to = kind === "publish" ? `publish to stream ${stream}` : "request and reply";
  return [el("div", { class: "mono break" }, subject), el("div", { class: "sub" }, to),
    migration ? el("div", { class: "sub" }, `and ${upstream}, stage ${stageOf(migration)}`) : null].filter(Boolean);
}

function state(node, row) {
  const { state: current, problems = [], reason } = row.state;
  const [kind, words] = STATES[current] ?? ["idle", current];
  const why = reason ? [reason] : problems;
  const key = JSON.stringify([current, why]);
  if (node.dataset.of === key) return;
  node.dataset.of = key;
  const shown = el("div", {});
  status(shown, kind, why.length > 0 && current === "broken" ? plural(why.length, "problem") : words);
  node.replaceChildren(shown, ...why.map((text) => el("p", { class: "why" }, text)));
}

function flight(node, row) {
  if (!node.firstChild) node.append(el("span", {}), el("span", { class: "muted" }));
  set(node.firstChild, count(row.in_flight));
  set(node.lastChild, ` of ${count(row.in_flight_limit)}`);
}

const total = (row) => Object.values(row.figures?.problems ?? {}).reduce((sum, number) => sum + number, 0);
