// Flagsmith's browser SDK in a page.

import { createFlagsmithInstance } from "flagsmith";
import { told, waitFor } from "./answers.mjs";

const server = window.offshoot;
const clients = {};

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A client is somebody's: tells it who, if that is somebody else than before. */
async function identify(client, identity, traits) {
  const known = clients[client];
  const who = { identity: identity ?? null, traits: traits ?? {} };
  if (same(known.who, who)) return known.flagsmith;
  if (who.identity === null) await known.flagsmith.logout();
  else await known.flagsmith.identify(who.identity, who.traits);
  known.who = who;
  return known.flagsmith;
}

window.told = told;
window.driver = {
  async open({ client, key, changes = "none", with_defaults = false }) {
    const flagsmith = createFlagsmithInstance();
    clients[client] = { flagsmith, who: { identity: null, traits: {} } };
    await flagsmith.init({
      environmentID: key,
      api: `${server}/api/v1/`,
      ...(changes === "stream" && { realtime: true, eventSourceUrl: `${server}/` }),
      ...(with_defaults && { defaultFlags: { text: { enabled: false, value: "the default" } } }),
    });
    if (changes === "polling") flagsmith.startListening(100);
  },

  async evaluate({ client, flag, identity, traits }) {
    const flagsmith = await identify(client, identity, traits);
    if (!(flag in flagsmith.getAllFlags())) return { error: "no such flag" };
    return { enabled: flagsmith.hasFeature(flag), value: flagsmith.getValue(flag) };
  },

  wait_for({ value, seconds, ...evaluation }) {
    return waitFor(value, seconds, () => window.driver.evaluate(evaluation));
  },

  close({ client }) {
    clients[client].flagsmith.stopListening();
    clients[client].flagsmith.eventSource?.close();
  },
};
