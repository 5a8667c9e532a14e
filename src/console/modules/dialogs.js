// Dialogs: `data-opens="id"` opens one, `data-closes` closes the one it is in; a click beside it and Escape close it too.
// `data-fill-NAME="value"` on the button that opens it sets the field NAME, or what is marked `data-filled="NAME"`.

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) return open(opener);
    const closer = event.target.closest("[data-closes]");
    if (closer) return closer.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement && isBeside(event)) event.target.close();
  });
  document.addEventListener("keydown", (event) => event.key === "Tab" && keepInside(event));
  // Does not bubble.
  document.addEventListener("close", (event) => closed(event.target), true);
}

function open(opener) {
  const dialog = document.getElementById(opener.dataset.opens);
  for (const [name, value] of Object.entries(opener.dataset)) {
    if (name.startsWith("fill")) fill(dialog, name.slice(4), value);
  }
  opener.closest("[popover]")?.hidePopover();
  dialog.showModal();
}

// `data-fill-api` comes as `Api`.
function fill(dialog, property, value) {
  const name = property.replace(/[A-Z]/g, (letter, at) => (at ? "_" : "") + letter.toLowerCase());
  const form = dialog.querySelector("form");
  if (name === "api") form.dataset.api = value;
  if (name === "version") form.dataset.version = value;
  const field = form?.elements.namedItem(name);
  if (field) field.value = value;
  for (const shown of dialog.querySelectorAll(`[data-filled="${name}"]`)) shown.textContent = value;
}

// After the last control of a dialog comes its first: a browser would leave the page there.
function keepInside(event) {
  const dialog = document.querySelector("dialog:modal");
  if (!dialog) return;
  const controls = [...dialog.querySelectorAll("a[href], button, input, select, textarea")];
  const stops = controls.filter((control) => control.matches(":not(:disabled)") && control.checkVisibility());
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (!to || document.activeElement !== from) return;
  event.preventDefault();
  to.focus();
}

function isBeside(event) {
  const box = event.target.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  // Enter in a field is a click at 0, 0.
  return event.detail > 0 && (x < box.left || x > box.right || y < box.top || y > box.bottom);
}

function closed(dialog) {
  if (!(dialog instanceof HTMLDialogElement)) return;
  const form = dialog.querySelector("form[data-api]");
  form?.reset();
  form?.dispatchEvent(new CustomEvent("cleared"));
}
