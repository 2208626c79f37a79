// The streams that operations publish to, and their consumers: what waits, what comes back, who stands still.

import { el, set, status } from "./dom.js";
import { ago, bytes, count, none, plural } from "./format.js";
import { Table, made, text } from "./table.js";

export const id = "streams";
export const title = "Streams and consumers";
export const short = "Streams";

export function open() {
  const note = el("p", { class: "muted note" });
  const table = new Table({
    caption: "Streams and consumers",
    key: (row) => `${row.stream} ${row.consumer ?? ""}`,
    empty: "No operation publishes to a stream.",
    columns: [
      { label: "Stream or consumer", head: true, wide: true, cell: made((row) => `${row.stream} ${row.consumer}`, name) },
      { label: "State", wide: true, cell: state },
      { label: "Messages", number: true, cell: text((row) => (row.consumer ? none : messages(row.of))) },
      { label: "Pending", number: true, cell: text((row) => figure(row, "pending")) },
      { label: "Ack pending", number: true, cell: text((row) => figure(row, "ack_pending")) },
      { label: "Redelivered", number: true, cell: text((row) => figure(row, "redelivered")) },
      { label: "Last delivery", number: true, cell: text((row) => (row.consumer ? ago(row.of.last_delivery) : none)) },
      { label: "Last ack", number: true, cell: text((row) => (row.consumer ? ago(row.of.last_ack) : none)) },
    ],
  });

  function update({ streams }) {
    const rows = streams.streams.flatMap((stream) => [
      { stream: stream.name, consumer: null, of: stream },
      ...stream.consumers.map((consumer) => ({ stream: stream.name, consumer: consumer.name, of: consumer })),
    ]);
    table.update(rows);
    set(note, rows.length > 0 || streams.failure ? told(streams) : "");
    note.hidden = note.textContent === "";
  }

  return { root: el("div", { class: "card" }, table.root, note), update };
}

function name(row) {
  if (row.consumer === null) return [el("div", { class: "name break" }, row.stream), el("div", { class: "sub" }, "stream")];
  return [el("div", { class: "name break inner" }, row.consumer), el("div", { class: "sub inner" }, `consumer of ${row.stream}`)];
}

const figure = (row, which) => (row.consumer ? count(row.of[which]) : none);

const messages = (stream) => (stream.failure ? none : `${count(stream.messages)} (${bytes(stream.bytes)})`);

/** The worst that is known. */
function state(node, { consumer, of }) {
  if (!node.firstChild) node.append(el("div", {}), el("p", { class: "why", hidden: true }));
  const [kind, words, why = ""] = judge(consumer !== null, of);
  status(node.firstChild, kind, words);
  set(node.lastChild, why);
  node.lastChild.hidden = why === "";
}

function judge(isConsumer, of) {
  if (of.failure) return ["bad", "Not known", of.failure];
  if (of.stalled) return ["bad", "Stands still", "It has messages, and has moved none for a while: is its worker running?"];
  if (of.paused) return ["warn", "Paused"];
  if (of.push_bound === false) return ["warn", "Nobody listens", "A push consumer without a subscriber."];
  if (of.drifted) return ["warn", "Not as declared", "`natsgate streams drift` says what differs."];
  if (!isConsumer && of.consumers.length === 0) return ["warn", "Nobody reads it", "It has no consumer."];
  if (!isConsumer) return ["good", "Ready"];
  return ["good", of.pending + of.ack_pending === 0 ? "Caught up" : "Moving"];
}

function told({ looked_at: looked, failure, drift }) {
  const parts = [];
  if (failure) parts.push(`The last look failed: ${failure}.`);
  if (looked) parts.push(`Looked at ${ago(looked)}.`);
  if (drift.failure) parts.push(`Not compared with the manifests: ${drift.failure}.`);
  else if (drift.compared_at) {
    const number = drift.drifted.length;
    const words = number === 0 ? "all is as they declare" : `${plural(number, "difference")}`;
    parts.push(`Compared with the manifests ${ago(drift.compared_at)}: ${words}.`);
  }
  return parts.join(" ");
}
