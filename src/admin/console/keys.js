// The verifiers: whose tokens, keys and passwords are believed, and how old what is known of them is.

import { el, status } from "./dom.js";
import { count, none, span } from "./format.js";
import { Table, text } from "./table.js";

export const id = "keys";
export const title = "Keys and users";
export const short = "Keys";

const KINDS = { jwt: "tokens of an issuer", api_key: "API keys", basic: "users with passwords" };

export function open() {
  const table = new Table({
    caption: "Keys and users",
    key: (row) => row.key,
    empty: "No verifier is configured: no operation asks who calls.",
    columns: [
      { label: "Verifier", head: true, wide: true, cell: text((row) => row.name) },
      { label: "Proof", wide: true, cell: text((row) => row.issuer ?? KINDS[row.kind] ?? row.kind) },
      { label: "State", wide: true, cell: state },
      { label: "Known", number: true, cell: text((row) => (row.known ? count(row.known.count) : none)) },
      { label: "Read", number: true, cell: text((row) => age(row.known)) },
    ],
  });
  const update = ({ verifiers }) => table.update(Object.entries(verifiers).flatMap(rows));
  return { root: el("div", { class: "card" }, table.root), update };
}

function rows([name, verifier]) {
  if (!verifier.issuers) return [{ key: name, name, kind: verifier.kind, known: verifier.keys ?? verifier.users }];
  return verifier.issuers.map(({ issuer, keys }) => ({
    key: `${name} ${issuer}`, name, issuer, kind: verifier.kind, known: typeof keys === "object" ? keys : null,
  }));
}

const age = (known) => (known && known.age_seconds !== null ? `${span(known.age_seconds * 1000)} ago` : none);

function state(node, { known }) {
  if (!node.firstChild) node.append(el("div", {}), el("p", { class: "why" }));
  const failing = known?.last_error;
  const missing = known && known.age_seconds === null;
  if (missing) status(node.firstChild, "bad", "Never read");
  else if (failing) status(node.firstChild, "warn", "The last good ones are in use");
  else status(node.firstChild, "good", known ? "Current" : "A shared secret");
  node.lastChild.textContent = failing ?? "";
  node.lastChild.hidden = !failing;
}
