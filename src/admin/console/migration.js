// One migration: what was compared, what differs, what both sides take, and what is missing. Whatever a service has said is
// set as text.

import { el, status, svg } from "./dom.js";
import { ago, count, milliseconds, moment, none, part, plural, span } from "./format.js";

const STAGES = ["legacy", "shadow", "canary", "mirror", "nats"];
const CONDITIONS = { compared: "Pairs compared", mismatch: "Mismatches", p99_delta: "Latency, p99", for: "Time of evidence" };
/** Rows of differing fields that are shown at first. */
const ROWS = 10;

/** As it is written: `canary 5%`. */
export function stageOf({ stage, percent }) {
  return stage === "canary" ? `canary ${part(percent / 100)}%` : stage;
}

/** What the gate says: a kind, a word, and the first thing that is missing. */
export function judge({ gate }) {
  if (gate.holds) return ["good", "Holds", ""];
  const missing = gate.conditions.find((condition) => !condition.holds);
  if (!missing) return ["idle", "Not known", ""];
  return ["warn", "Does not hold", `${CONDITIONS[missing.name] ?? missing.name}: ${missing.missing ?? missing.found}`];
}

/** The interval in which the share lies, against what is tolerated. For eyes only: the numbers beside it say the same. */
export function interval({ rate, interval: found, gate }) {
  const width = 120;
  const height = 16;
  const [low, high] = found ?? [rate, rate];
  const tolerated = gate.tolerated ?? 0;
  const most = Math.min(1, Math.max(high, tolerated, 0.0005) * 1.3);
  const at = (share) => Math.min(width, (share / most) * width);
  const nodes = [svg("rect", { class: "track", x: 0, y: 5, width, height: 6, rx: 3 })];
  if (gate.tolerated !== null && gate.tolerated !== undefined) {
    nodes.push(svg("rect", { class: "tolerated", x: 0, y: 5, width: at(tolerated).toFixed(1), height: 6, rx: 3 }));
  }
  const band = Math.max(at(high) - at(low), 3);
  nodes.push(svg("rect", { class: high <= tolerated ? "band good" : "band bad", x: Math.min(at(low), width - band).toFixed(1), y: 4, width: band.toFixed(1), height: 8, rx: 2 }));
  nodes.push(svg("rect", { class: "point", x: Math.max(0, at(rate) - 1).toFixed(1), y: 1, width: 2, height: 14 }));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "interval", "aria-hidden": "true" }, ...nodes);
}

export function story(of, close) {
  const route = `${of.method} ${of.path}`;
  return [
    el("div", { class: "detail-head" },
      el("div", {}, el("h3", { class: "break" }, of.operation), of.operation === route ? null : el("p", { class: "sub mono break" }, route)),
      el("button", { type: "button", class: "plain", on: { click: close } }, "Close")),
    stages(of),
    el("div", { class: "two" },
      el("div", {}, ...compared(of)),
      el("div", {}, ...gate(of), ...next(of))),
    ...differing(of),
    el("div", { class: "two" },
      el("div", {}, ...sides(of)),
      el("div", {}, ...seen(of), ...fallbacks(of))),
  ];
}

/** Where it is on its way. */
function stages(of) {
  const here = STAGES.indexOf(of.stage);
  const item = (stage, index) => el("li", { class: index < here ? "past" : null, "aria-current": index === here ? "step" : null },
    index === here ? stageOf(of) : stage);
  const since = of.since ? `In this stage since ${moment(of.since)} (${span(Date.now() - Date.parse(of.since))}).` : "";
  const left = of.breaker === "open" ? [el("p", { class: "fault" }, "NATS is left alone for now, since requests failed there: the legacy service answers.")] : [];
  return el("div", { class: "way" }, el("ol", { class: "stages" }, ...STAGES.map(item)), el("p", { class: "muted" }, since), ...left);
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== "");
  return el("dl", { class: "facts" }, ...shown.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { class: "break" }, value)]));
}

function compared(of) {
  const [low, high] = of.interval ?? [null, null];
  const tolerated = of.gate.tolerated ?? null;
  const words = low === null ? "Nothing was compared yet." : `With 95 % certainty ${part(low)} to ${part(high)} %${tolerated === null ? "" : `; ${part(tolerated)} % are tolerated`}.`;
  const reasons = Object.entries(of.skipped_by ?? {}).map(([reason, number]) => `${count(number)} ${reason}`).join(", ");
  const some = (number) => (number > 0 ? count(number) : null);
  return [
    el("h4", {}, "Mismatches"),
    el("p", { class: "big" }, el("span", { class: "figure" }, of.rate === null ? none : `${part(of.rate)} %`), of.rate === null ? "" : interval(of)),
    el("p", { class: "muted" }, words),
    facts([
      ["Compared", count(of.compared)],
      ["Match", count(of.matched)],
      ["Differ", count(of.mismatched)],
      ["Differ by noise", some(of.noise)],
      ["Failed on NATS", some(of.candidate_errors)],
      ["Not answered in time", some(of.candidate_timeouts)],
      ["Skipped", of.skipped > 0 ? `${count(of.skipped)}${reasons ? `: ${reasons}` : ""}` : null],
      ["Copies not made", some(of.dropped)],
      ["Evidence", of.epoch_since ? `since ${moment(of.epoch_since)}${of.instances > 0 ? `, by ${plural(of.instances, "instance")}` : ""}` : null],
      ["Kept", of.not_kept ? `not beyond this process: ${of.not_kept}` : null],
    ]),
  ];
}

function gate(of) {
  const item = (condition) => {
    const shown = el("div", {});
    status(shown, condition.holds ? "good" : "warn", CONDITIONS[condition.name] ?? condition.name);
    return el("li", {}, shown, facts([["Wanted", condition.wanted], ["Found", condition.found], ["Missing", condition.missing ?? null]]));
  };
  const words = of.gate.holds ? "Gate: it may be moved on" : "Gate: it may not be moved on yet";
  return [el("h4", {}, words), el("ul", { class: "conditions" }, ...of.gate.conditions.map(item))];
}

function next(of) {
  if (of.next.length === 0) return [];
  return [el("h4", {}, "What to do next"), el("ol", { class: "steps" }, ...of.next.map((step) => el("li", { class: "break" }, ...marked(step))))];
}

/** Text with what stands between backticks as code. */
function marked(text) {
  return text.split("`").map((piece, index) => (index % 2 === 1 ? el("code", {}, piece) : piece));
}

function differing(of) {
  const rows = of.fields ?? [];
  if (rows.length === 0 && !(of.other_fields > 0)) return [];
  const rest = rows.length > ROWS ? [el("details", {}, el("summary", {}, `${count(rows.length - ROWS)} more`), ...rows.slice(ROWS).map(difference))] : [];
  const others = of.other_fields > 0 ? [el("p", { class: "muted" }, `And ${plural(of.other_fields, "pair")} elsewhere.`)] : [];
  return [el("h4", {}, "What differs"), el("div", { class: "differences" }, ...rows.slice(0, ROWS).map(difference), ...rest), ...others];
}

/** The places that differ together, and of one pair what stood there. */
function difference(row) {
  const said = (side, pointer) => side[pointer] ?? "(nothing)";
  const line = (pointer) => el("tr", {}, el("th", { scope: "row", class: "mono break" }, pointer),
    ...["legacy", "nats"].map((side) => el("td", { class: "mono break" }, said(row.example[side], pointer))));
  return el("div", { class: "difference" },
    el("p", {}, el("strong", {}, `${part(row.share)} %`), ` ${plural(row.count, "pair")}`,
      el("span", { class: "muted" }, `, first ${ago(row.first_seen)}, last ${ago(row.last_seen)}`),
      row.noise ? el("span", { class: "tag" }, "noise") : null),
    row.noise ? el("p", { class: "why" }, "Two answers of the legacy service differ there too.") : null,
    el("table", { class: "plain" },
      el("caption", { class: "hidden" }, `An example of what differs at ${row.pointers.join(", ")}`),
      el("thead", {}, el("tr", {}, ...["Place", "Legacy", "NATS"].map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...row.pointers.map(line))));
}

function sides(of) {
  const most = Math.max(of.legacy.p99_ms ?? 0, of.nats.p99_ms ?? 0, 0.001);
  const bar = (value) => svg("svg", { viewBox: "0 0 100 6", class: "amount", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "band", x: 0, y: 0, width: Math.max(1, ((value ?? 0) / most) * 100).toFixed(1), height: 6 }));
  const latency = (value) => [el("div", {}, milliseconds(value)), value === null ? "" : bar(value)];
  const errors = (side) => [Object.entries(side.errors).map(([code, number]) => `${code}: ${count(number)}`).join(", ") || "none"];
  const line = (name, of2) => el("tr", {}, el("th", { scope: "row" }, name), ...[of.legacy, of.nats].map((side) => el("td", {}, ...of2(side))));
  return [el("h4", {}, "Both sides"),
    el("table", { class: "plain" },
      el("caption", { class: "hidden" }, "Both sides"),
      el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, "Legacy"), el("th", { scope: "col" }, "NATS"))),
      el("tbody", {},
        line("Answers", (side) => [count(side.answers)]),
        line("p50", (side) => latency(side.p50_ms)),
        line("p99", (side) => latency(side.p99_ms)),
        line("Errors", errors)))];
}

function seen({ coverage }) {
  const days = coverage.days;
  const words = days.length > 1 ? `${count(days.length)}: ${days[0]} to ${days.at(-1)}` : days.join("");
  return [el("h4", {}, "Seen"), facts([
    ["Statuses", coverage.statuses.join(", ") || none],
    ["Declared, never seen", coverage.missing.join(", ")],
    ["Media types", coverage.media_types.join(", ") || none],
    ["Days", words || none],
  ])];
}

function fallbacks({ fallbacks: { total, by_code: codes } }) {
  if (total === 0) return [];
  const list = Object.entries(codes).sort((one, other) => other[1] - one[1]);
  return [el("h4", {}, `Fallbacks: ${count(total)}`),
    el("p", { class: "muted" }, "Requests that NATS did not take, and that the legacy service answered."),
    facts(list.map(([code, number]) => [code, count(number)]))];
}
