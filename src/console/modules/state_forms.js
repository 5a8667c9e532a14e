// Forms that change a feature state: `data-state="/api/v1/…"`, with its value and the shares of its options. A form that
// somebody has begun to change is theirs (`data-kept`) until it is saved or discarded: what others do meanwhile does not
// change it, and shows when it is saved.
import { ApiError } from "./api.js";
import { isBusy, setBusy } from "./forms.js";
import { refresh } from "./live.js";
import { changeState, shownVersion } from "./states.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

export function startStateForms() {
  const formOf = (target) => target.closest("form[data-state]");
  for (const type of ["input", "change"]) {
    document.addEventListener(type, (event) => formOf(event.target) && edited(formOf(event.target)));
  }
  document.addEventListener("submit", (event) => {
    const form = formOf(event.target);
    if (!form) return;
    event.preventDefault();
    if (!isBusy(form)) save(form);
  });
  document.addEventListener("reset", (event) => {
    if (!formOf(event.target)) return;
    if (isBusy(event.target)) event.preventDefault();
    else queueMicrotask(() => discard(event.target));
  });
}

function edited(form) {
  if (form.dataset.kept === undefined) {
    form.dataset.kept = "";
    form.dataset.version = shownVersion();
  }
  checkWeights(form);
}

async function discard(form) {
  // A reset does not tell of itself to what depends on a field.
  form.elements.namedItem("kind").dispatchEvent(new Event("change", { bubbles: true }));
  release(form);
  await refresh();
}

function release(form) {
  delete form.dataset.kept;
  delete form.dataset.version;
  say(form, null);
}

async function save(form) {
  say(form, null);
  if (!checkWeights(form)) return;
  const seen = JSON.parse(form.dataset.seen);
  const { state: path, shown: name, version = shownVersion() } = form.dataset;
  setBusy(form, true);
  try {
    const outcome = await changeState({ path, version, seen, name }, { value: valueOf(form), shares: sharesOf(form, seen) });
    if (outcome === "undecided") return;
    release(form);
    await refresh();
    toast(outcome === "saved" ? texts.savedState : texts.tookTheirs);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const fields = Object.values(error.fields).flat(2).filter((text) => typeof text === "string");
    say(form, fields.join(" ") || error.detail);
  } finally {
    setBusy(form, false);
  }
}

function valueOf(form) {
  const { kind, text, number, boolean } = form.elements;
  switch (kind.value) {
    case "number":
      return Number(number.value);
    case "boolean":
      return boolean.value === "true";
    case "text":
      return text.value;
    default:
      return null;
  }
}

// Only those that are not as they were: an override keeps saying nothing about the others.
function sharesOf(form, seen) {
  const before = new Map(seen.shares);
  const shares = weights(form).map((field) => [Number(field.dataset.option), Number(field.value)]);
  const changed = shares.filter(([option, share]) => (before.get(option) ?? 0) !== share);
  return changed.length > 0 ? changed : undefined;
}

function weights(form) {
  return [...form.querySelectorAll("[data-option]")];
}

// Says what is left, and whether it can be sent.
function checkWeights(form) {
  const fields = weights(form);
  if (fields.length === 0) return true;
  const isShare = (field) => field.value !== "" && field.validity.valid;
  const sum = fields.reduce((sum, field) => sum + (Number(field.value) || 0), 0);
  // Sums of decimal fractions are off by less than that.
  const isTooMuch = sum > 100 + 1e-9;
  const wrong = isTooMuch ? fields : fields.filter((field) => !isShare(field));
  for (const field of fields) field.toggleAttribute("aria-invalid", false);
  for (const field of wrong) field.setAttribute("aria-invalid", "true");
  form.querySelector("[data-control]").textContent = String(Math.max(0, Math.round((100 - sum) * 1000) / 1000));
  const place = form.querySelector("[data-weights-error]");
  const text = isTooMuch ? texts.weightsTooMany : texts.weightWrong;
  if (place.hidden !== (wrong.length === 0) || place.textContent !== text) {
    place.textContent = wrong.length > 0 ? text : "";
    place.hidden = wrong.length === 0;
  }
  return wrong.length === 0;
}

function say(form, text) {
  const place = form.querySelector(".form-error");
  place.textContent = text ?? "";
  place.hidden = !text;
}
