// OpenFeature's web SDK with the OFREP web provider in a page.

import { OpenFeature } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { told, waitFor } from "./answers.mjs";

const server = window.offshoot;
const resolvers = {
  boolean: "getBooleanDetails",
  string: "getStringDetails",
  integer: "getNumberDetails",
  float: "getNumberDetails",
  object: "getObjectDetails",
};

window.told = told;
window.driver = {
  async open({ client, key, changes = "none", identity, traits }) {
    await OpenFeature.setContext(client, { ...(identity != null && { targetingKey: identity }), ...traits });
    const provider = new OFREPWebProvider({
      baseUrl: server,
      headers: [["Authorization", `Bearer ${key}`]],
      changeDetection: { stream: "sse", polling: "polling", none: "none" }[changes],
      pollInterval: changes === "polling" ? 100 : 0,
      // What is kept from before is that of the same identity with other traits, too.
      cacheMode: changes === "none" ? "network-first" : "local-cache-first",
    });
    await OpenFeature.setProviderAndWait(client, provider);
  },

  /** A client is somebody's: tells it who. It asks the server anew only if that is somebody else than before. */
  async evaluate({ client, flag, kind, default: fallback, identity, traits }) {
    const context = { ...(identity != null && { targetingKey: identity }), ...traits };
    if (JSON.stringify(OpenFeature.getContext(client)) !== JSON.stringify(context)) {
      await OpenFeature.setContext(client, context);
    }
    const details = OpenFeature.getClient(client)[resolvers[kind]](flag, fallback);
    const { value, variant, reason, errorCode } = details;
    return { value, variant: variant ?? null, reason, ...(errorCode && { error: errorCode }) };
  },

  wait_for({ value, seconds, ...evaluation }) {
    return waitFor(value, seconds, () => window.driver.evaluate(evaluation));
  },

  async close({ client }) {
    await OpenFeature.getProvider(client).onClose();
  },
};
