// Switches that ask the API by themselves: `<input type="checkbox" class="switch" name="enabled" data-api="PATCH /api/v1/…">`
// sends `{ enabled: true }`. It shows what was wanted at once, and goes back when that is refused.
import { ApiError, send } from "./api.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

export function startSwitches() {
  document.addEventListener("change", (event) => {
    if (event.target.matches("input.switch[data-api]")) turn(event.target);
  });
}

async function turn(input) {
  const [method, path] = input.dataset.api.split(" ");
  const wanted = input.checked;
  input.setAttribute("aria-busy", "true");
  try {
    await send(method, path, { [input.name]: wanted });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    input.checked = !wanted;
    toast(`${texts.switchedBack} ${error.detail}`, "danger");
  } finally {
    input.removeAttribute("aria-busy");
  }
}
