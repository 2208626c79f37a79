// Asks the API of the admin listener. The token stays in this tab, and goes to this origin alone.

const KEY = "natsgate-admin-token";

/** The API has refused, in its own words. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the gateway answers ${status}`);
    this.status = status;
    this.document = problem;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

async function ask(method, path, body) {
  const headers = {};
  const secret = token.get();
  if (secret) headers.Authorization = `Bearer ${secret}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    // A reload of a large configuration takes longer than a look.
    signal: AbortSignal.timeout(method === "GET" ? 8000 : 60000),
  });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, document);
  return document;
}

export const read = (path) => ask("GET", path);
export const change = (method, path, body) => ask(method, path, body);
