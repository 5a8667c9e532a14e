// Forms that ask the API: `data-api="POST /api/v1/…"`. Fields are sent as JSON by their names, as their `data-type` says:
// `integer`, `boolean` (a checkbox), `nullable` (an empty text is null), `optional` (an empty text is left out), else text.
// Fields of the type `local` are not sent, those of the type `path` are put into the path in place of `{name}`. `data-needs="name=value"` on what is
// around fields: they count, and are seen, only while the field `name` has that value. A form with `data-sends="changed"` sends
// only what is not as it was, so that what somebody else changed meanwhile stays. `data-version` is sent as If-Match. When it is done the form sends the event `done` with the answer, and does what
// `data-then` says: `refresh` the page's regions (and close the dialog), or go to a path, in which `{name}` is a member
// of the answer.
import { ApiError, send } from "./api.js";
import { leaveFor, refresh } from "./live.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-api]");
    if (!form) return;
    event.preventDefault();
    // One that is shown as disabled keeps the focus, and does nothing.
    if (event.submitter?.getAttribute("aria-disabled") !== "true") submit(form);
  });
  document.addEventListener("cleared", (event) => {
    clearErrors(event.target);
    showNeeded(event.target);
  }, true);
  document.addEventListener("change", (event) => event.target.form && showNeeded(event.target.form));
  for (const form of document.forms) showNeeded(form);
}

function showNeeded(form) {
  for (const part of form.querySelectorAll("[data-needs]")) {
    const [name, value] = part.dataset.needs.split("=");
    const isNeeded = form.elements.namedItem(name)?.value === value;
    part.hidden = !isNeeded;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !isNeeded;
  }
}

async function submit(form) {
  if (isBusy(form)) return;
  clearErrors(form);
  const [method, pattern] = form.dataset.api.split(" ");
  const path = pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(form.elements.namedItem(name).value));
  const body = method === "DELETE" ? undefined : values(form);
  if (form.dataset.sends === "changed" && Object.keys(body).length === 0) return toast(texts.nothingToSave);
  const { version } = form.dataset;
  let answer;
  setBusy(form, true);
  try {
    answer = await send(method, path, body, { version: version || undefined });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return showErrors(form, error);
  } finally {
    setBusy(form, false);
  }
  if (form.dataset.sends === "changed") keepAsBefore(form);
  form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer }));
  await proceed(form, answer);
}

async function proceed(form, { body }) {
  const then = form.dataset.then ?? "refresh";
  if (then !== "refresh") {
    return leaveFor(then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(body[name])));
  }
  form.closest("dialog")?.close();
  if (form.dataset.done) toast(form.dataset.done, "success");
  await refresh();
}

/** The values of a form, as its fields say. */
export function values(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    if (form.dataset.sends === "changed" && !isChanged(field)) continue;
    const value = valueOf(field);
    if (value !== undefined) body[field.name] = value;
  }
  return body;
}

function isChanged(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field instanceof HTMLSelectElement) return !field.selectedOptions[0]?.defaultSelected;
  return field.value !== field.defaultValue;
}

// What was sent is what the fields begin with from now on.
function keepAsBefore(form) {
  for (const field of form.elements) {
    if (field.type === "checkbox" || field.type === "radio") field.defaultChecked = field.checked;
    else if (field instanceof HTMLSelectElement) for (const option of field.options) option.defaultSelected = option.selected;
    else if ("defaultValue" in field) field.defaultValue = field.value;
  }
}

function valueOf(field) {
  if (field.dataset.type === "path" || field.dataset.type === "local") return undefined;
  if (field.type === "checkbox") return field.checked;
  const text = field.value;
  switch (field.dataset.type) {
    case "integer":
      return text === "" ? null : Number(text);
    case "nullable":
      return text === "" ? null : text;
    case "optional":
      return text === "" ? undefined : text;
    case "moment":
      // What is picked is in the viewer's time zone.
      return text === "" ? undefined : new Date(text).toISOString();
    case "choice":
      return { true: true, false: false }[text] ?? null;
    default:
      return text;
  }
}

// A region that comes meanwhile does not know of it.
const busy = new WeakSet();

/** Whether what a form asked for is not answered yet: it cannot ask again. */
export function isBusy(form) {
  return busy.has(form);
}

/** Says so. Its buttons keep the focus, which ones that are disabled would lose. */
export function setBusy(form, is) {
  if (is) busy.add(form);
  else busy.delete(form);
  form.setAttribute("aria-busy", String(is));
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", String(is));
}

function showErrors(form, error) {
  let isShown = false;
  for (const [name, messages] of Object.entries(error.fields)) {
    const field = form.elements.namedItem(name);
    if (!field || field.type === "hidden") continue;
    showFieldError(field, [messages].flat().join(" "));
    if (!isShown) field.focus();
    isShown = true;
  }
  if (isShown) return;
  const others = Object.entries(error.fields).map(([name, messages]) => {
    const text = [messages].flat().join(" ");
    return name === "non_field_errors" ? text : `${name}: ${text}`;
  });
  const text = error.status === 412 ? texts.changedMeanwhile : others.join(" ") || error.detail;
  const place = form.querySelector(".form-error");
  if (!place) return toast(text, "danger");
  place.textContent = text;
  place.hidden = false;
}

/** Says under a field what is wrong with it. */
export function showFieldError(field, text) {
  const id = `${field.id}-error`;
  let place = document.getElementById(id);
  if (!place) {
    place = document.createElement("p");
    place.id = id;
    place.className = "field-error";
    field.closest(".field").append(place);
    const described = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", described ? `${described} ${id}` : id);
  }
  place.textContent = text;
  place.hidden = false;
  field.setAttribute("aria-invalid", "true");
}

function clearErrors(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".field-error, .form-error")) place.hidden = true;
}
