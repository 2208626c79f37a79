// The last problems, to be found by the id that a caller tells.

import { el, fill, set } from "./dom.js";
import { count, milliseconds, moment, none, plural } from "./format.js";
import { Table, made, text } from "./table.js";

export const id = "problems";
export const title = "Recent problems";
export const short = "Problems";

/** So many are shown before somebody asks for more. */
const FIRST = 25;
const OUTCOMES = { not_executed: "not executed", executed: "executed", unknown: "unknown" };

export function open({ say }) {
  const table = new Table({
    caption: "Recent problems",
    key: (row) => row.request_id,
    empty: "No problem fits.",
    columns: [
      { label: "Time", cell: text((row) => moment(row.time)) },
      { label: "Problem", head: true, wide: true, cell: made((row) => row.request_id, problem) },
      { label: "Operation", wide: true, cell: made((row) => row.request_id, operation) },
      { label: "Executed", cell: text((row) => OUTCOMES[row.outcome] ?? row.outcome) },
      { label: "Took", number: true, cell: text((row) => milliseconds(row.duration_ms)) },
      { label: "Caller", wide: true, cell: text((row) => row.caller ?? none) },
      { label: "Request id", wide: true, cell: made((row) => row.request_id, ids) },
    ],
  });
  let rows = [];
  let shown = FIRST;
  const search = el("input", { type: "search", id: "problems-id", autocomplete: "off", spellcheck: "false", on: { input: show } });
  const which = el("select", { id: "problems-operation", on: { change: show } });
  const code = el("select", { id: "problems-code", on: { change: show } });
  const more = el("button", { type: "button", class: "plain", hidden: true, on: { click: () => { shown += 100; show(); } } });
  const note = el("p", { class: "muted note" });
  const root = el("div", { class: "card" },
    el("div", { class: "tools" },
      el("label", { for: "problems-id" }, "Request or trace id"), search,
      el("label", { for: "problems-operation" }, "Operation"), which,
      el("label", { for: "problems-code" }, "Code"), code),
    table.root, more, note);

  function choices(select, all, values) {
    const sorted = [...new Set(values)].sort();
    const chosen = select.value;
    fill(select, JSON.stringify(sorted), () => [
      el("option", { value: "" }, all),
      ...sorted.map((value) => el("option", { value: `=${value}` }, value === "" ? "none" : value)),
    ]);
    if (select.value !== chosen && sorted.includes(chosen.slice(1))) select.value = chosen;
  }

  function show() {
    const wanted = search.value.trim().toLowerCase();
    const fits = (row) =>
      (!wanted || row.request_id.toLowerCase().includes(wanted) || row.trace_id.includes(wanted))
      && (!which.value || `=${row.operation ?? ""}` === which.value)
      && (!code.value || `=${row.code}` === code.value);
    const found = rows.filter(fits);
    table.update(found.slice(0, shown));
    more.hidden = found.length <= shown;
    set(more, `Show more of ${count(found.length)}`);
  }

  function update({ problems }) {
    rows = problems.problems;
    choices(which, "all", rows.map((row) => row.operation ?? ""));
    choices(code, "all", rows.map((row) => row.code));
    const left = Object.values(problems.counts).reduce((sum, { not_kept: number }) => sum + number, 0);
    set(note, `The last ${problems.at_most} are kept${left > 0 ? `; ${plural(left, "more", "more")} came too fast and were counted alone` : ""}. The log has all of them.`);
    show();
  }

  function ids(row) {
    const copied = el("button", {
      type: "button", class: "copy", "aria-label": `Copy the request id ${row.request_id}`,
      on: { click: () => copy(row.request_id, copied) },
    }, "Copy");
    return [el("div", { class: "id" }, el("code", { class: "break" }, row.request_id), copied),
      el("div", { class: "sub" }, "trace ", el("code", { class: "break" }, row.trace_id))];
  }

  async function copy(value, button) {
    try {
      await navigator.clipboard.writeText(value);
      set(button, "Copied");
      say("The request id was copied.");
    } catch {
      // Only a page of a secure context may write there: select it instead.
      getSelection().selectAllChildren(button.previousSibling);
      set(button, "Selected");
      say("The request id is selected.");
    }
    setTimeout(() => set(button, "Copy"), 2000);
  }

  return { root, update };
}

function problem(row) {
  return [el("div", { class: "name" }, row.title), el("div", { class: "sub" }, el("code", {}, row.code), ` ${row.status}`),
    row.cause ? el("p", { class: "why" }, row.cause) : null].filter(Boolean);
}

function operation(row) {
  const method = el("span", { class: "method" }, row.method);
  if (row.operation === null) return [method, el("span", { class: "muted" }, " no operation")];
  return row.operation.startsWith(`${row.method} `)
    ? [method, el("span", { class: "mono break" }, row.operation.slice(row.method.length))]
    : [el("span", { class: "break" }, row.operation), " ", method];
}
