// What came between two looks: the API tells counts since the start, people ask for rates and for the last minute.

const LENGTH = 61;
/** Over how many looks a rate is taken, and a latency. */
const RATE = 5;
const MINUTE = 30;

export class History {
  #looks = [];

  /** Adds a document. One of a process that was started anew begins the history anew. */
  add(document) {
    const last = this.#looks.at(-1);
    if (last && document.gateway.started !== last.started) this.#looks = [];
    const counts = (figures) => ({
      requests: figures.requests,
      problems: Object.values(figures.problems).reduce((sum, count) => sum + count, 0),
      byCode: figures.problems,
      latency: figures.latency.counts,
    });
    const operations = new Map();
    for (const operation of document.operations) {
      if (operation.figures) operations.set(operation.name, counts(operation.figures));
    }
    operations.set("", counts(document.unmatched));
    this.bounds = document.latency_bounds_ms;
    this.#looks.push({ at: document.gateway.uptime_ms, started: document.gateway.started, operations });
    if (this.#looks.length > LENGTH) this.#looks.shift();
  }

  #between(first, second, names, what) {
    let sum = 0;
    for (const name of names) {
      const [before, after] = [first.operations.get(name), second.operations.get(name)];
      if (after) sum += Math.max(0, after[what] - (before ? before[what] : 0));
    }
    return sum;
  }

  #names(name) {
    return name === undefined ? [...(this.#looks.at(-1)?.operations.keys() ?? [])] : [name];
  }

  #since(looks) {
    return this.#looks.at(-Math.min(looks + 1, this.#looks.length));
  }

  /** A second: of an operation, of all without a name. Null before there are two looks. */
  rate(name, what = "requests") {
    const [first, last] = [this.#since(RATE), this.#looks.at(-1)];
    if (!first || first === last) return null;
    return this.#between(first, last, this.#names(name), what) / ((last.at - first.at) / 1000);
  }

  /** The rates between looks, the oldest first. */
  course(name, what = "requests") {
    const names = this.#names(name);
    const rates = [];
    for (let index = 1; index < this.#looks.length; index += 1) {
      const [first, second] = [this.#looks[index - 1], this.#looks[index]];
      rates.push(this.#between(first, second, names, what) / (Math.max(1, second.at - first.at) / 1000));
    }
    return rates;
  }

  /** How many problems of a code came in the last minute. */
  recent(name, code) {
    const [before, after] = [this.#since(MINUTE)?.operations.get(name), this.#looks.at(-1)?.operations.get(name)];
    // An operation that was taken out and put in again begins at nothing.
    return Math.max(0, (after?.byCode[code] ?? 0) - (before?.byCode[code] ?? 0));
  }

  /** Within how many milliseconds a part of the last minute's requests was answered; null if there were none. */
  quantile(name, part) {
    const [first, last] = [this.#since(MINUTE), this.#looks.at(-1)];
    if (!first || first === last) return null;
    const sums = new Array(this.bounds.length + 1).fill(0);
    for (const one of this.#names(name)) {
      const [before, after] = [first.operations.get(one)?.latency, last.operations.get(one)?.latency];
      after?.forEach((value, index) => { sums[index] += Math.max(0, value - (before?.[index] ?? 0)); });
    }
    return quantile(sums, this.bounds, part);
  }
}

/** As `histogram_quantile` of Prometheus has it. */
export function quantile(counts, bounds, part) {
  const total = counts.reduce((sum, value) => sum + value, 0);
  if (total === 0) return null;
  const rank = part * total;
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    if (counts[index] > 0 && below + counts[index] >= rank) {
      const lower = index === 0 ? 0 : bounds[index - 1];
      return lower + ((bound - lower) * Math.max(0, rank - below)) / counts[index];
    }
    below += counts[index];
  }
  return bounds.at(-1);
}
