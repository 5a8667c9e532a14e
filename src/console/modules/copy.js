// Buttons that copy a text: `data-copy="the text"`.
import { announce } from "./announce.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

const SHOWN_FOR_MS = 1_600;

export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    toast(texts.copyFailed, "danger");
    return;
  }
  announce(texts.copied);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), SHOWN_FOR_MS);
}
