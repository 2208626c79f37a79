// Nodes of the page. Text is only ever set as text, so that nothing that comes from outside is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element: attributes, `on` for listeners, and children that are nodes or texts. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Sets a text, if it is another one: a text that is set anew loses what is selected of it. */
export function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces the children of a node when `key` says that they would differ. */
export function fill(node, key, make) {
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(...make());
}

const SHAPES = {
  good: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm3.2 4.7-4 4.2-2.3-2.2 1-1 1.2 1.2 3-3.2Z",
  warn: "M8 1.7 15 14H1Zm-.8 4.5v4h1.6v-4Zm0 5v1.5h1.6v-1.5Z",
  bad: "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3Zm.8 3.6-1 1L7 8l-1.9 1.9 1 1L8 9l1.9 1.9 1-1L9 8l1.9-1.9-1-1L8 7Z",
  idle: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm0 1.6a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8Zm-2.7 4v1.7h5.4V7.1Z",
};

/** A state, told by its shape and its words, not by its colour alone. */
export function status(node, kind, text) {
  fill(node, `${kind} ${text}`, () => [
    svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
      svg("path", { d: SHAPES[kind], "fill-rule": "evenodd" })),
    el("span", {}, text),
  ]);
  node.className = `status ${kind}`;
}

/** The course of a value, for eyes only: the number beside it says the same. */
export function sparkline(node, values) {
  const width = 72;
  const height = 20;
  const most = Math.max(...values, 0);
  const step = width / Math.max(values.length - 1, 1);
  const at = (value, index) =>
    `${(index * step).toFixed(1)},${(height - 1.5 - (most > 0 ? value / most : 0) * (height - 3)).toFixed(1)}`;
  const points = values.map(at).join(" ");
  if (!node.firstChild) {
    node.append(svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "spark", "aria-hidden": "true", preserveAspectRatio: "none" },
      svg("polygon", { class: "area" }), svg("polyline", { class: "line" })));
  }
  const [area, line] = node.firstChild.children;
  line.setAttribute("points", points);
  area.setAttribute("points", points ? `0,${height} ${points} ${width},${height}` : "");
}
