// Changes of feature states, on what was seen of them. The environment's ETag says whether anything in it has changed since;
// if so, what is there now is compared with what was seen. Only if that differs there is a conflict, and one is asked.
//
// What is seen is `{ enabled, value, shares: [[option, percentage], …] }`: `data-seen` on the element that changes it.
import { ApiError, send } from "./api.js";
import { askWhose } from "./conflicts.js";

/** The version of the environment that the page shows. */
export function shownVersion() {
  return document.querySelector("[data-states-version]").dataset.statesVersion;
}

/** What of a state matters to whoever changes it, from an answer of the API. */
function seenOf(state) {
  const shares = state.multivariate_feature_state_values.map((share) => [
    share.multivariate_feature_option,
    share.percentage_allocation,
  ]);
  shares.sort(([one], [other]) => one - other);
  return { enabled: state.enabled, value: state.feature_state_value, shares };
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What a state would be that was seen like this, after a change. */
function afterwards(seen, { enabled = seen.enabled, value = seen.value, shares = [] }) {
  const changed = new Map([...seen.shares, ...shares]);
  return { enabled, value, shares: [...changed].sort(([one], [other]) => one - other) };
}

function bodyOf({ enabled, value, shares }) {
  return {
    enabled,
    feature_state_value: value,
    multivariate_feature_state_values: shares?.map(([multivariate_feature_option, percentage_allocation]) => ({
      multivariate_feature_option,
      percentage_allocation,
    })),
  };
}

/**
 * Changes the state at `path`, of which `seen` was seen at `version`; `change` has the members of what is seen that change.
 * Answers `saved`, `theirs` if one decided for what somebody else made of it, or `undecided`. Throws `ApiError`.
 */
export async function changeState({ path, version, seen, name }, change) {
  for (;;) {
    try {
      await send("PATCH", path, bodyOf(change), { version });
      return "saved";
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
    }
    const answer = await send("GET", path);
    const now = seenOf(answer.body);
    const wanted = afterwards(seen, change);
    if (isSame(now, wanted)) return "saved";
    if (!isSame(now, seen)) {
      const whose = await askWhose(name, wanted, now);
      if (whose !== "mine") return whose;
      // All of it is mine, also what I left as I saw it.
      change = wanted;
    }
    ({ version } = answer);
    seen = now;
  }
}
