// Short messages at the edge of the page: what was done, or went wrong where no form can say it.
import { texts } from "./texts.js";

const SHOWN_FOR_MS = 6_000;

/** Shows a text; `kind` is `success` or `danger`. What went wrong stays until it is dismissed. */
export function toast(text, kind = "success") {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  box.setAttribute("role", kind === "danger" ? "alert" : "status");
  const line = document.createElement("p");
  line.textContent = text;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button quiet small";
  dismiss.textContent = texts.dismiss;
  dismiss.addEventListener("click", () => box.remove());
  box.append(line, dismiss);
  document.getElementById("toasts").append(box);
  if (kind !== "danger") setTimeout(() => box.remove(), SHOWN_FOR_MS);
}
