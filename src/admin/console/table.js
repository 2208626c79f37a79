// A table whose rows stay the same nodes while their figures change, so that focus, selection and what has been opened are
// kept. On a narrow screen each row is a card; roles keep it a table for whoever hears it.

import { el, fill, set } from "./dom.js";
import { none } from "./format.js";

export class Table {
  #rows = new Map();
  #last = [];

  /**
   * Columns: `label`, `cell(td, row)` which fills a cell and fills it again, and where they apply `sort(row)`, `number`,
   * `head` for the one that names the row, `wide` for one that takes a whole line of a card.
   */
  constructor({ caption, columns, key, empty, by = null, down = false }) {
    Object.assign(this, { columns, key, by, down });
    this.head = el("tr", { role: "row" }, ...columns.map((column) => this.#header(column)));
    this.body = el("tbody", { role: "rowgroup" });
    const table = el("table", { role: "table" },
      el("caption", { class: "hidden" }, caption), el("thead", { role: "rowgroup" }, this.head), this.body);
    this.empty = el("p", { class: "empty", hidden: true }, empty);
    this.order = this.#chooser(caption);
    this.root = el("div", { class: "table" }, this.order ?? "", table, this.empty);
    this.#mark();
  }

  #header(column) {
    const attributes = { role: "columnheader", scope: "col", class: column.number ? "number" : null };
    if (!column.sort) return el("th", attributes, column.label);
    const button = el("button", { type: "button", class: "sort", on: { click: () => this.#sortBy(column) } },
      column.label, el("span", { class: "arrow", "aria-hidden": "true" }));
    return el("th", attributes, button);
  }

  /** On a narrow screen there is no row of headers to sort by. */
  #chooser(caption) {
    const sortable = this.columns.filter((column) => column.sort);
    if (sortable.length === 0) return null;
    const options = sortable.map((column) => el("option", { value: column.label }, column.label));
    this.select = el("select", {
      "aria-label": `Sort ${caption.toLowerCase()} by`,
      on: { change: () => this.#sortBy(sortable.find((column) => column.label === this.select.value)) },
    }, ...options);
    return el("label", { class: "order" }, "Sort by ", this.select);
  }

  #sortBy(column) {
    this.down = this.by === column.label ? !this.down : Boolean(column.number);
    this.by = column.label;
    this.#mark();
    this.update(this.#last);
  }

  #mark() {
    this.columns.forEach((column, index) => {
      if (!column.sort) return;
      const direction = column.label !== this.by ? "none" : this.down ? "descending" : "ascending";
      this.head.children[index].setAttribute("aria-sort", direction);
    });
    if (this.select && this.by) this.select.value = this.by;
  }

  #sorted(rows) {
    const column = this.columns.find((one) => one.label === this.by);
    if (!column) return rows;
    const compare = (first, second) => {
      const [one, other] = [column.sort(first), column.sort(second)];
      const order = typeof one === "string" ? one.localeCompare(other) : (one ?? -1) - (other ?? -1);
      return this.down ? -order : order;
    };
    return [...rows].sort(compare);
  }

  update(rows) {
    this.#last = rows;
    const sorted = this.#sorted(rows);
    const keys = new Set(sorted.map(this.key));
    for (const [key, node] of this.#rows) {
      if (!keys.has(key)) {
        node.remove();
        this.#rows.delete(key);
      }
    }
    let at = this.body.firstChild;
    for (const row of sorted) {
      const key = this.key(row);
      let node = this.#rows.get(key);
      if (!node) {
        node = this.#make();
        this.#rows.set(key, node);
      }
      this.columns.forEach((column, index) => {
        column.cell(node.children[index].lastChild, row);
        // A card has no place for what is not there.
        node.children[index].classList.toggle("nothing", node.children[index].lastChild.textContent === none);
      });
      // A row that stands where it should is not moved: that would take the focus from it.
      if (node === at) at = at.nextSibling;
      else this.body.insertBefore(node, at);
    }
    this.empty.hidden = rows.length > 0;
    this.root.classList.toggle("is-empty", rows.length === 0);
  }

  #make() {
    const cells = this.columns.map((column) => {
      const type = [column.number ? "number" : "", column.wide ? "wide" : "", column.head ? "head" : ""].join(" ").trim();
      const label = el("span", { class: "label", "aria-hidden": "true" }, column.label);
      const content = el("div", { class: "cell" });
      return column.head
        ? el("th", { role: "rowheader", scope: "row", class: type }, label, content)
        : el("td", { role: "cell", class: type }, label, content);
    });
    return el("tr", { role: "row" }, ...cells);
  }
}

/** A cell that is a text. */
export const text = (read) => (node, row) => set(node, read(row));

/** A cell of several nodes, made anew when what it shows has changed. */
export const made = (key, make) => (node, row) => fill(node, key(row), () => make(row));
