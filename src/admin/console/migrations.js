// The operations that move from a legacy service to NATS: how far each is, and of one the whole story.

import { read } from "./api.js";
import { el, fill, set, status } from "./dom.js";
import { count, milliseconds, none, part } from "./format.js";
import { interval, judge, stageOf, story } from "./migration.js";
import { Table, made, text } from "./table.js";

export const id = "migrations";
export const title = "Migrations";

/** More rows than these are shown when asked for. */
const FIRST = 50;

export function open({ say }) {
  const table = new Table({
    caption: "Migrations",
    key: (row) => row.operation,
    empty: "No operation has a `migration`: none has both `forward` and a binding to NATS.",
    by: "Operation",
    columns: [
      { label: "Operation", head: true, wide: true, sort: (row) => row.operation, cell: made((row) => `${row.operation} ${row.operation === chosen}`, name) },
      { label: "Stage", sort: (row) => row.stage, cell: text(stageOf) },
      { label: "Compared", number: true, sort: (row) => row.compared, cell: text((row) => count(row.compared)) },
      { label: "Mismatches", wide: true, number: true, sort: (row) => row.rate ?? -1, cell: made((row) => JSON.stringify([row.rate, row.interval, row.gate.tolerated]), mismatches) },
      { label: "p99 legacy", number: true, sort: (row) => row.legacy.p99_ms, cell: text((row) => milliseconds(row.legacy.p99_ms)) },
      { label: "p99 NATS", number: true, sort: (row) => row.nats.p99_ms, cell: text((row) => milliseconds(row.nats.p99_ms)) },
      { label: "Fallbacks", number: true, sort: (row) => row.fallbacks.total, cell: text((row) => count(row.fallbacks.total)) },
      { label: "Gate", wide: true, sort: (row) => (row.gate.holds ? 1 : 0), cell: gate },
    ],
  });
  let chosen = null;
  let rows = [];
  let all = false;
  const more = el("button", { type: "button", class: "plain", hidden: true, on: { click: () => { all = true; show(); } } });
  const detail = el("div", { class: "card detail", id: "migration", hidden: true, tabindex: "-1", role: "region", "aria-label": "One migration" });
  const root = el("div", {}, el("div", { class: "card" }, table.root, more), detail);

  function show() {
    table.update(all ? rows : rows.slice(0, FIRST));
    more.hidden = all || rows.length <= FIRST;
    set(more, `Show all ${count(rows.length)}`);
  }

  function name(row) {
    const route = `${row.method} ${row.path}`;
    const button = el("button", {
      type: "button", class: "link break", "aria-expanded": String(row.operation === chosen), "aria-controls": "migration",
      on: { click: () => choose(row.operation) },
    }, row.operation);
    return [el("div", { class: "name" }, button), row.operation === route ? null : el("div", { class: "sub break mono" }, route)].filter(Boolean);
  }

  function choose(operation) {
    chosen = chosen === operation ? null : operation;
    detail.hidden = true;
    show();
    if (chosen === null) return;
    look().then(() => { if (!detail.hidden) detail.focus(); });
  }

  /** One operation, as it is now. Who has chosen another one meanwhile does not see it. */
  async function look() {
    const operation = chosen;
    try {
      const document = await read(`/api/migrations/${encodeURIComponent(operation)}`);
      if (operation !== chosen) return;
      fill(detail, JSON.stringify(document) + minute(), () => story(document, close));
      detail.hidden = false;
    } catch (error) {
      if (operation !== chosen) return;
      fill(detail, error.message, () => [el("p", { class: "fault" }, error.message)]);
      detail.hidden = false;
    }
  }

  function close() {
    const former = chosen;
    choose(chosen);
    say("The migration is closed.");
    [...table.body.querySelectorAll("button.link")].find((button) => button.textContent === former)?.focus();
  }

  function update({ migrations }) {
    rows = migrations;
    if (chosen !== null && !rows.some((row) => row.operation === chosen)) {
      chosen = null;
      detail.hidden = true;
    }
    show();
    if (chosen !== null) look();
  }

  return { root, update };
}

/** Spans that grow are shown anew once a minute, so that whoever reads is not disturbed. */
const minute = () => Math.floor(Date.now() / 60000);

function mismatches(row) {
  if (row.rate === null) return [el("span", { class: "muted" }, none)];
  const [low, high] = row.interval ?? [row.rate, row.rate];
  return [el("div", { class: "pair" }, interval(row), el("span", {}, `${part(row.rate)} %`)),
    el("div", { class: "sub" }, `${part(low)} to ${part(high)} %`)];
}

function gate(node, row) {
  if (!node.firstChild) node.append(el("div", {}), el("p", { class: "why" }));
  const [kind, words, why] = judge(row);
  status(node.firstChild, kind, words);
  set(node.lastChild, why);
  node.lastChild.hidden = why === "";
}
