// Requests to the API, in the name of whoever is signed in.
import { texts } from "./texts.js";

/** An answer that was not hoped for: `status` (0 if there was none), `detail` for people, `fields` by their names. */
export class ApiError extends Error {
  constructor(status, body) {
    const fields = isFields(body) ? body : {};
    super(body?.detail ?? texts.failed);
    this.status = status;
    this.code = body?.code;
    this.body = body;
    this.fields = fields;
  }

  /** What it says as a whole, beside the fields. */
  get detail() {
    const whole = this.fields.non_field_errors ?? (Array.isArray(this.body) ? this.body : undefined);
    return whole ? [whole].flat().join(" ") : this.message;
  }
}

function isFields(body) {
  return body !== null && typeof body === "object" && !Array.isArray(body) && !("detail" in body);
}

/**
 * Sends a request. `path` is whole; `body` becomes JSON; `version` is sent as `If-Match`. Returns `{ status, body, version }`.
 * Throws `ApiError`. Who is not signed in any more is sent to sign in.
 */
export async function send(method, path, body, { version } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(0, { detail: texts.unreachable });
  }
  const text = await response.text();
  const answer = parse(text);
  if (response.status === 401) signInAgain();
  if (!response.ok) throw new ApiError(response.status, answer);
  const tag = response.headers.get("ETag");
  return { status: response.status, body: answer, version: tag?.replaceAll('"', "") };
}

/** Goes to sign in, which says that the session has ended (its cookie may have gone with it), and comes back here afterwards. */
export function signInAgain() {
  const here = location.pathname + location.search;
  location.assign(`/sign-in?ended=true&next=${encodeURIComponent(here)}`);
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

function parse(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
