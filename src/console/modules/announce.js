// Tells those who listen what those who look can see: one polite live region for the page.

/** Says a text, after what is being said. */
export function announce(text) {
  const region = document.getElementById("announcements");
  const line = document.createElement("p");
  line.textContent = text;
  region.replaceChildren(line);
}
