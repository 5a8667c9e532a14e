// Switches of flags: `data-flag="/api/v1/…"`. One shows at once what is wanted, and goes back, with a message, if that fails.
import { announce } from "./announce.js";
import { ApiError } from "./api.js";
import { refresh } from "./live.js";
import { changeState, shownVersion } from "./states.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

export function startFlags() {
  document.addEventListener("change", (event) => event.target.matches("[data-flag]") && turn(event.target));
}

async function turn(flag) {
  const { flag: path, shown: name, seen } = flag.dataset;
  const wanted = flag.checked;
  // Until the answer is there, nobody else moves it, nor a second click of the same person.
  flag.dataset.kept = "";
  flag.setAttribute("aria-busy", "true");
  flag.disabled = true;
  let outcome;
  try {
    outcome = await changeState({ path, version: shownVersion(), seen: JSON.parse(seen), name }, { enabled: wanted });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(`${name}: ${texts.rolledBack} ${error.detail}`, "danger");
    outcome = "failed";
  }
  flag.disabled = false;
  delete flag.dataset.kept;
  flag.removeAttribute("aria-busy");
  if (outcome === "saved") announce(`${name}: ${wanted ? texts.on : texts.off}`);
  else flag.checked = !wanted;
  flag.focus({ preventScroll: true });
  // What it was kept from meanwhile.
  await refresh().catch(() => {});
}
