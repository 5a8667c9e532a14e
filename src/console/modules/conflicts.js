// The dialog that shows two values of one thing, mine and theirs, and lets one choose.
import { texts } from "./texts.js";

/** Asks whose state counts: `mine`, `theirs`, or `undecided` if one goes back to what one was doing. */
export function askWhose(name, mine, theirs) {
  const dialog = document.getElementById("conflict");
  document.getElementById("conflict-name").textContent = name;
  document.getElementById("conflict-rows").replaceChildren(...rows(mine, theirs));
  dialog.showModal();
  return new Promise((resolve) => {
    // Whatever else closes it decides nothing.
    let whose = "undecided";
    const choose = (event) => {
      const button = event.target.closest("[data-chooses]");
      if (!button) return;
      whose = button.dataset.chooses;
      dialog.close();
    };
    dialog.addEventListener("click", choose);
    dialog.addEventListener("close", () => {
      dialog.removeEventListener("click", choose);
      resolve(whose);
    }, { once: true });
  });
}

function rows(mine, theirs) {
  const lines = [[texts.whatEnabled, enabled(mine), enabled(theirs)], [texts.whatValue, written(mine.value), written(theirs.value)]];
  if (mine.shares.length > 0 || theirs.shares.length > 0) lines.push([texts.whatShares, shares(mine), shares(theirs)]);
  return lines.map(([what, one, other]) => {
    const row = document.createElement("tr");
    row.classList.toggle("differs", one !== other);
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = what;
    row.append(head, cell(one), cell(other));
    return row;
  });
}

function cell(text) {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}

function enabled(state) {
  return state.enabled ? texts.on : texts.off;
}

function written(value) {
  return value === null ? texts.noValue : String(value);
}

// In the words of the page: an option is what it gives.
function shares(state) {
  return state.shares.map(([option, percentage]) => `${optionName(option)}: ${percentage} %`).join(", ");
}

function optionName(option) {
  const field = document.querySelector(`[data-option="${option}"]`);
  return field?.closest(".weight").querySelector("code").textContent ?? `#${option}`;
}
