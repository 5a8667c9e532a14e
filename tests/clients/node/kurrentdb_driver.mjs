// Drives the official Node client of KurrentDB.

import {
  BACKWARDS,
  EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  END,
  WrongExpectedVersionError,
  jsonEvent,
  streamNameFilter,
} from "@eventstore/db-client";
import { serve } from "./driver.mjs";

const client = EventStoreDBClient.connectionString(process.env.OFFSHOOT_URL);
const subscriptions = new Map();

/** An event as the tests look at it. */
function seen({ event }) {
  const { id, streamId, revision, type, data, metadata, created, position } = event;
  return {
    id,
    stream: streamId,
    revision: Number(revision),
    type,
    data,
    metadata: metadata ?? null,
    created: created.toISOString(),
    position: position && Number(position.commit),
  };
}

async function all(events) {
  const read = [];
  for await (const resolved of events) read.push(seen(resolved));
  return read;
}

const revision = (expected) => (expected === null ? NO_STREAM : BigInt(expected));
const direction = (backwards) => (backwards ? { direction: BACKWARDS, fromPosition: END } : { direction: FORWARDS, fromPosition: START });

const driver = {
  async append({ stream, expected, events }) {
    try {
      const result = await client.appendToStream(stream, events.map(jsonEvent), { expectedRevision: revision(expected) });
      return { success: result.success, revision: Number(result.nextExpectedRevision), position: Number(result.position.commit) };
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      return { conflict: error.actualVersion === NO_STREAM ? null : Number(error.actualVersion) };
    }
  },

  async read_stream({ stream, from, backwards, count }) {
    const fromRevision = from != null ? BigInt(from) : backwards ? END : START;
    const options = { direction: backwards ? BACKWARDS : FORWARDS, fromRevision, maxCount: count };
    return { events: await all(client.readStream(stream, options)) };
  },

  async read_all({ backwards, count }) {
    return { events: await all(client.readAll({ ...direction(backwards), maxCount: count })) };
  },

  /** Subscribes to the streams whose names begin like this. */
  subscribe({ name, prefix, after }) {
    const fromPosition = after == null ? START : { commit: BigInt(after), prepare: BigInt(after) };
    const subscription = client.subscribeToAll({ fromPosition, filter: streamNameFilter({ prefixes: [prefix], checkpointInterval: 1 }) });
    subscriptions.set(name, subscription[Symbol.asyncIterator]());
  },

  /** The next events of a subscription, once they are there. */
  async next({ name, count }) {
    const events = [];
    while (events.length < count) {
      const { value, done } = await subscriptions.get(name).next();
      if (done) throw new Error("the subscription has ended");
      events.push(seen(value));
    }
    return { events };
  },

  end: () => client.dispose(),
};

await serve(driver);
