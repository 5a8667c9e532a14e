// Light or dark: as the browser prefers until its user chooses. The choice is a cookie, so that the server's first paint
// has it.

const YEAR_S = 31_536_000;

export function startTheme() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) choose(isDark() ? "light" : "dark");
  });
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  document.cookie = `offshoot_theme=${theme}; path=/; max-age=${YEAR_S}; samesite=strict`;
}
