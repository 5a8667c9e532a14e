// The audit log: lines that unfold into what followed from the same request, and following it or not.
import { pause, refresh, resume } from "./live.js";
import { showTimes } from "./times.js";
import { texts } from "./texts.js";

// Does not bubble.
document.addEventListener("toggle", (event) => event.target.matches("details[data-lines]") && unfold(event.target), true);
// What is unfolded grows with what happens.
document.addEventListener("region", () => document.querySelectorAll("details[data-lines][open]").forEach(unfold));
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-follow]")) return;
  if (!event.target.checked) return pause();
  resume();
  refresh();
});

async function unfold(details) {
  const place = details.querySelector(".audit-lines");
  const { lines, count } = details.dataset;
  if (!details.open || place.dataset.count === count) return;
  place.dataset.count = count;
  // What is put in here is not in what the server sends of the region.
  place.dataset.kept = "";
  const response = await fetch(lines).catch(() => null);
  if (!response?.ok) {
    delete place.dataset.count;
    place.textContent = texts.failed;
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  showTimes(page);
  place.replaceChildren(...[...page.body.children].map((child) => document.importNode(child, true)));
}
