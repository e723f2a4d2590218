import { createRequire } from "node:module";

import type * as kafkajs from "kafkajs";

import { FETCH_VERSION, type FetchedTopics, readFetchAnswer } from "./fetch-answer.js";
import { FetchPace, type FetchWait } from "./fetch-pace.js";
import { filterAborted } from "./filter-aborted.js";

const FIXED_VERSION = "2.2.4";

/** How kafkajs makes one kind of request, in one version. */
interface Protocol {
  versions: string[];
  protocol(asked: { version: number }): (made: { topics: FetchedTopics }) => {
    response: { decode(bytes: Buffer): Promise<unknown>; parse(answer: unknown): unknown };
  };
}

/** The requests of one connection that wait for their turn, or for their answer. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(this: RequestQueue): void;
}

/** One membership of a consumer; `fetch` asks a broker by what these say. */
interface ConsumerGroup {
  minBytes: number;
  maxWaitTime: number;
  fetch(this: ConsumerGroup, nodeId: string): Promise<{ readonly rawMessages: readonly unknown[] }[]>;
}

/**
 * kafkajs with what is wrong with it put right as it is loaded, so that an ordinary `npm ci` is enough. Every other
 * module gets kafkajs from here (`client.ts`), so no client of this project can run without:
 *
 * - **Aborted records** are delivered by kafkajs; {@link filterAborted} takes the place of its own filter.
 * - **Fetch answers** with a codec other than gzip end kafkajs's consumers for good, and what it unpacks has no bound;
 *   {@link readFetchAnswer} reads them instead.
 * - **A timer of 1 ms** runs on each connection forever. `RequestQueue.scheduleCheckPendingRequests` is there for
 *   requests that wait while the broker throttles, but sets its timer when none waits too, by `throttledUntil -
 *   Date.now()`, which is −1 less a date: Node makes 1 ms of that (and warns, from 24 on), and what the timer calls
 *   sets the next one. Whoever adds a request that must wait schedules the check itself, so without one there is
 *   nothing to set a timer for.
 * - **Fetches** go on at the pace of the load when nothing comes, dozens of times a second; {@link FetchPace} slows
 *   them down.
 *
 * @throws Error when another version of kafkajs is installed, or its parts are not where they were: look whether it
 *   still needs this
 */
export function loadKafkajs(): typeof kafkajs {
  const require = createRequire(import.meta.url);
  const { version } = require("kafkajs/package.json") as { version: string };
  if (version !== FIXED_VERSION)
    throw new Error(`kafka/mended-kafkajs.ts mends kafkajs ${FIXED_VERSION}, not ${version}`);

  const filter = require.resolve("kafkajs/src/consumer/filterAbortedMessages.js");
  require(filter);
  require.cache[filter]!.exports = filterAborted;
  if (require.cache[require.resolve("kafkajs/src/consumer/batch.js")] !== undefined)
    throw new Error("kafkajs was loaded before kafka/mended-kafkajs.ts could mend it: import kafka/client.ts instead");

  const fetch = require("kafkajs/src/protocol/requests/fetch/index.js") as Protocol;
  if (!fetch.versions.includes(String(FETCH_VERSION)))
    throw new Error(`kafkajs does not fetch by version ${FETCH_VERSION} of the protocol`);
  const original = fetch.protocol.bind(fetch);
  fetch.versions = [String(FETCH_VERSION)];
  fetch.protocol = (asked) => {
    if (asked.version !== FETCH_VERSION)
      throw new Error(
        `the broker does not know version ${FETCH_VERSION} of the fetch protocol: it is older than Kafka 2.3`,
      );
    const make = original(asked);
    return (made) => {
      const request = make(made);
      return { ...request, response: { ...request.response, decode: (bytes) => readFetchAnswer(bytes, made.topics) } };
    };
  };

  const queue = (require("kafkajs/src/network/requestQueue/index.js") as { prototype: RequestQueue }).prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its queue below
  const schedule = queue.scheduleCheckPendingRequests;
  if (typeof schedule !== "function") throw new Error("kafkajs checks its waiting requests in another way");
  queue.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };

  const group = (require("kafkajs/src/consumer/consumerGroup.js") as { prototype: ConsumerGroup }).prototype;
  const paces = new WeakMap<ConsumerGroup, FetchPace>();
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its group below
  const fetchOnce = group.fetch;
  if (typeof fetchOnce !== "function") throw new Error("kafkajs fetches in another way");
  group.fetch = async function (nodeId) {
    let pace = paces.get(this);
    if (pace === undefined) paces.set(this, (pace = new FetchPace(this, performance.now())));
    Object.assign<ConsumerGroup, FetchWait>(this, pace.next(performance.now()));
    const batches = await fetchOnce.call(this, nodeId);
    if (batches.some(({ rawMessages }) => rawMessages.length > 0)) pace.seen(performance.now());
    return batches;
  };
  return require("kafkajs") as typeof kafkajs;
}
