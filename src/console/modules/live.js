// Keeps the regions of a page as the server has them. A page says with `data-live="/live/…"` on its body's content where its
// stream is; the stream sends regions, elements with an id, as HTML, whenever they change, and all of them at its beginning.
// While the stream is broken the page itself is fetched once a second instead, and says so. A page that nobody looks at
// has no stream: browsers open only a few connections to one server.
import { announce } from "./announce.js";
import { signInAgain } from "./api.js";
import { morph } from "./morph.js";
import { texts } from "./texts.js";
import { showTimes } from "./times.js";

const POLL_MS = 1_000;
const REOPEN_MS = 2_000;

let stream = null;
let polling = null;
let reopening = null;
let isLeaving = false;
let isPaused = false;

export function startLive() {
  if (!source()) return;
  open();
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  addEventListener("pagehide", rest);
}

function source() {
  return document.querySelector("[data-live]")?.dataset.live;
}

/** Follows what the page shows with another query. */
export function follow(query) {
  const element = document.querySelector("[data-live]");
  if (!element) return;
  const [path] = element.dataset.live.split("?");
  element.dataset.live = `${path}?${query}`;
  if (stream) open();
}

/** Follows no longer. */
export function pause() {
  isPaused = true;
  rest();
}

/** Follows again. */
export function resume() {
  isPaused = false;
  open();
}

function open() {
  if (isPaused) return;
  stream?.close();
  stream = new EventSource(source());
  stream.addEventListener("open", mended);
  stream.addEventListener("regions", (event) => show(event.data));
  stream.addEventListener("gone", gone);
  stream.addEventListener("error", broken);
}

// What the page shows is deleted: it says so, in the words that it has for that. Whoever does that here is on the way to
// another page.
function gone() {
  pause();
  if (isLeaving) return;
  if (document.querySelector("form[aria-busy=true]")) return setTimeout(gone, POLL_MS);
  const words = document.getElementById("gone");
  if (!words) return location.reload();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  const content = document.getElementById("content");
  content.replaceChildren(words.content.cloneNode(true));
  content.querySelector("h1").focus();
}

/** Goes to another page of the console. */
export function leaveFor(path) {
  isLeaving = true;
  location.assign(path);
}

function rest() {
  stream?.close();
  stream = null;
  clearTimeout(reopening);
  mended();
}

function mended() {
  clearInterval(polling);
  polling = null;
  say(null);
}

function broken() {
  if (!polling) {
    say(texts.interrupted);
    polling = setInterval(poll, POLL_MS);
    poll();
  }
  // The browser opens it again by itself, unless the server refused it.
  if (stream?.readyState === EventSource.CLOSED) {
    clearTimeout(reopening);
    reopening = setTimeout(() => stream && open(), REOPEN_MS);
  }
}

async function poll() {
  try {
    await refresh();
    if (polling) say(texts.interrupted);
  } catch {
    if (polling) say(texts.away);
  }
}

/** Shows the regions of the page as they are now. */
export async function refresh() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (response.redirected && new URL(response.url).pathname === "/sign-in") return signInAgain();
  if (response.status === 404 || response.status === 410) return gone();
  if (!response.ok) throw new Error(`the page answers ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const region of page.querySelectorAll("[data-region]")) replace(region);
  // The stream sends what is other than it last sent, and does not know of this: it begins again, with everything.
  if (stream && !polling) open();
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const region of [...page.body.children]) replace(region);
}

function replace(region) {
  const present = document.getElementById(region.id);
  if (!present) return;
  showTimes(region);
  const before = announcements(present);
  morph(present, document.importNode(region, true));
  for (const [id, text] of announcements(document.getElementById(region.id))) {
    if (before.get(id) !== text) announce(text);
  }
  document.dispatchEvent(new CustomEvent("region", { detail: { id: region.id } }));
}

// What those who listen are told of the things in a region, when it changes: `data-announce` on an element with an id.
function announcements(region) {
  return new Map([...region.querySelectorAll("[data-announce]")].map((element) => [element.id, element.dataset.announce]));
}

function say(text) {
  const place = document.getElementById("connection");
  if (!place || (place.textContent === (text ?? "") && place.hidden === !text)) return;
  place.textContent = text ?? "";
  place.hidden = !text;
}
