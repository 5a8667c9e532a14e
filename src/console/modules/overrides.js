// Segment overrides of a feature: their order, and new ones.
import { announce } from "./announce.js";
import { ApiError, send } from "./api.js";
import { refresh } from "./live.js";
import { shownVersion } from "./states.js";
import { texts } from "./texts.js";
import { toast } from "./toasts.js";

const ORDER = "/api/v1/features/feature-segments/update-priorities/";

export function startOverrides() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-moves]");
    if (button) move(button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-adds-override]");
    if (!form) return;
    event.preventDefault();
    add(form);
  });
}

async function move(button) {
  const item = button.closest("[data-link]");
  const ids = [...item.parentElement.children].map((child) => Number(child.dataset.link));
  const from = ids.indexOf(Number(item.dataset.link));
  const to = from + Number(button.dataset.moves);
  [ids[from], ids[to]] = [ids[to], ids[from]];
  try {
    await send("POST", ORDER, ids.map((id, priority) => ({ id, priority })), { version: shownVersion() });
    announce(texts.moved);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.status === 412 ? texts.orderChanged : error.detail, "danger");
  }
  await refresh();
  // The same button, or, at the end of the list, the one that leads back.
  const id = item.dataset.link;
  const buttons = [...document.querySelectorAll(`#override-${id} [data-moves]`)];
  (buttons.find((one) => one.dataset.moves === button.dataset.moves && !one.disabled) ?? buttons.find((one) => !one.disabled))?.focus();
}

// A new override says what everybody gets, until it is changed: adding it changes nothing for anybody.
async function add(form) {
  const { enabled, value, shares } = JSON.parse(form.dataset.seen);
  const body = {
    enabled,
    feature_segment: { segment: Number(form.elements.namedItem("segment").value) },
    feature_state_value: columns(value),
    multivariate_feature_state_values: shares.map(([multivariate_feature_option, percentage_allocation]) => ({
      multivariate_feature_option,
      percentage_allocation,
    })),
  };
  try {
    await send("POST", form.dataset.addsOverride, body);
    toast(form.dataset.done);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.detail, "danger");
  }
  await refresh();
}

function columns(value) {
  if (typeof value === "boolean") return { type: "bool", boolean_value: value };
  if (typeof value === "number") return { type: "int", integer_value: value };
  return { type: "unicode", string_value: value };
}
