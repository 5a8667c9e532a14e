// Drives Flagsmith's Node SDK, in remote and in local evaluation.

import { isDeepStrictEqual } from "node:util";
import { Flagsmith, DefaultFlag } from "flagsmith-nodejs";
import { serve } from "./driver.mjs";
import { waitFor } from "./answers.mjs";

const server = process.env.OFFSHOOT_URL;
const never = 1_000_000;
const clients = {};

function flags(client, identity, traits) {
  const flagsmith = clients[client];
  return identity == null ? flagsmith.getEnvironmentFlags() : flagsmith.getIdentityFlags(identity, traits ?? {});
}

async function everything(client, { identity, traits }) {
  const found = await flags(client, identity, traits);
  // Where there is no value one way of evaluating says null, and the other undefined.
  return Object.fromEntries(found.allFlags().map((flag) => [flag.featureName, [flag.enabled, flag.value ?? null]]));
}

const driver = {
  open({ client, key, mode = "remote", changes = "none", with_defaults = false, with_analytics = false }) {
    clients[client] = new Flagsmith({
      environmentKey: key,
      apiUrl: `${server}/api/v1/`,
      enableLocalEvaluation: mode === "local",
      environmentRefreshIntervalSeconds: changes === "polling" ? 0.1 : never,
      enableAnalytics: with_analytics,
      ...(with_defaults && { defaultFlagHandler: () => new DefaultFlag("the default", false) }),
    });
  },

  async evaluate({ client, flag, identity, traits }) {
    const found = (await flags(client, identity, traits)).getFlag(flag);
    const answer = { enabled: found.enabled, value: found.value };
    return found.isDefault ? { ...answer, is_default: true } : answer;
  },

  wait_for({ value, seconds, ...evaluation }) {
    return waitFor(value, seconds, () => driver.evaluate(evaluation));
  },

  /** What one client and another say differently of these identities, and how much was compared. */
  async compare({ one, other, identities }) {
    let compared = 0;
    const differences = [];
    for (const identity of identities) {
      const said = [await everything(one, identity), await everything(other, identity)];
      compared += Object.keys(said[0]).length;
      if (!isDeepStrictEqual(...said)) differences.push({ identity, [one]: said[0], [other]: said[1] });
    }
    return { compared, differences: differences.slice(0, 3) };
  },

  /** Tells the server now how often flags were evaluated, instead of after ten seconds. */
  report({ client }) {
    return clients[client].analyticsProcessor.flush();
  },

  close({ client }) {
    return clients[client].close();
  },
};

await serve(driver);
