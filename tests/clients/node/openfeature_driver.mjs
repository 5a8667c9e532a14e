// Drives OpenFeature's Node SDK with the OFREP provider.

import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { serve } from "./driver.mjs";
import { waitFor } from "./answers.mjs";

const server = process.env.OFFSHOOT_URL;

const driver = {
  async open({ client, key }) {
    await OpenFeature.setProviderAndWait(client, new OFREPProvider({ baseUrl: server, headers: [["X-API-Key", key]] }));
  },

  async evaluate({ client, flag, kind, default: fallback, identity, traits }) {
    const context = { ...(identity != null && { targetingKey: identity }), ...traits };
    const resolvers = {
      boolean: "getBooleanDetails",
      string: "getStringDetails",
      integer: "getNumberDetails",
      float: "getNumberDetails",
      object: "getObjectDetails",
    };
    const details = await OpenFeature.getClient(client)[resolvers[kind]](flag, fallback, context);
    const { value, variant, reason, errorCode } = details;
    return { value, variant: variant ?? null, reason, ...(errorCode && { error: errorCode }) };
  },

  wait_for({ value, seconds, ...evaluation }) {
    return waitFor(value, seconds, () => driver.evaluate(evaluation));
  },

  close() {},

  end: () => OpenFeature.close(),
};

await serve(driver);
