// Forms that filter what a page shows: `<form method="get" data-filters>`. The page stays where it is; its address and its
// regions become those of what is asked for. `data-resets="name"` on a field empties another when it changes. Without this module the form loads the page anew.
import { follow, refresh } from "./live.js";

const TYPING_MS = 200;

let typing = null;

export function startFilters() {
  const formOf = (event) => event.target.closest?.("form[data-filters]");
  document.addEventListener("submit", (event) => {
    if (!formOf(event)) return;
    event.preventDefault();
    apply(formOf(event));
  });
  document.addEventListener("input", (event) => formOf(event) && later(formOf(event), TYPING_MS));
  document.addEventListener("change", (event) => {
    if (!formOf(event)) return;
    const { resets } = event.target.dataset;
    if (resets) formOf(event).elements.namedItem(resets).value = "";
    later(formOf(event), 0);
  });
  addEventListener("popstate", () => location.reload());
}

function later(form, pause) {
  clearTimeout(typing);
  typing = setTimeout(() => apply(form), pause);
}

async function apply(form) {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (value === "") query.delete(name);
  history.replaceState(null, "", `${location.pathname}${query.size > 0 ? `?${query}` : ""}`);
  follow(query);
  await refresh();
}
