/**
 * Calls of one request of the batching transport at most: more gain nothing, and what one failed request repeats stays
 * small.
 */
const REQUEST_CALLS = 256;
/**
 * Requests of a task on their way while the next batch gathers: with one the functions would wait for StateFun in
 * between.
 */
const REQUESTS_IN_FLIGHT = 2;

/**
 * What bounds what is under way, each derived from the one before; `module.yaml` and `cluster/flink-conf.yaml` say the
 * same, and a spec compares them. What is beyond a bound waits in Kafka. docs/overload.md explains each.
 */
export const LIMITS = {
  /**
   * The largest record that the `*.valid` topics take. Kafka applies it to a whole batch of records, so it also bounds
   * what a producer may send to a partition at once. A transaction has about 200 bytes.
   */
  recordBytes: 24 * 1024,
  /**
   * `maxNumBatchRequests` of module.yaml: messages that wait for one address. As many as a request has room for when
   * each is the largest that there can be; a transaction as they are has a fiftieth of that. From here on StateFun
   * holds back what comes from outside; what other functions send meanwhile comes on top, and has that room.
   */
  batchRecords: 300,
  /**
   * The largest message that the function server takes: a record, and what functions add to it on its way. A larger one
   * would take its time at once, and much more memory than its bytes.
   */
  messageBytes: 32 * 1024,
  /** The largest state of one address, for the same reason. It has a few KB; with the largest settings 100. */
  stateBytes: 128 * 1024,
  /**
   * The largest request that the function server takes: whoever reaches it can make it hold about four times as much.
   * StateFun repeats a call that is too large until the job restarts, forever; so the function server checks at start
   * that the largest one fits.
   */
  bodyBytes: 8 * 1024 * 1024,
  /** `requests_in_flight` of module.yaml, of each task. */
  requestsInFlight: REQUESTS_IN_FLIGHT,
  /** `max_requests` of module.yaml: requests and connections of a task, those included that are slow to answer. */
  requests: 4 * REQUESTS_IN_FLIGHT,
  /** `max_batch_calls` of module.yaml. */
  requestCalls: REQUEST_CALLS,
  /**
   * `max_batch_bytes` of module.yaml: a call is about 1 KB, its address's state included, so that the number of calls
   * decides.
   */
  requestBytes: 4 * 1024 * REQUEST_CALLS,
  /**
   * `statefun.async.max-per-task` of flink-conf.yaml: calls of a task under way. What is on its way, and as much again
   * that is ready when an answer comes. Each of these is part of every checkpoint, and goes again after a restart.
   */
  callsPerTask: 2 * REQUESTS_IN_FLIGHT * REQUEST_CALLS,
} as const;
