/**
 * Where code may look: each room (a folder of the repository's root), what it is for, and the rooms that it imports.
 * Lint enforces it, the images of the servers follow it, and docs/architecture.md shows it as a table. A room
 * comes after those that it imports, so there is no cycle.
 *
 * @typedef {object} Room
 * @property {string} is - what lives there
 * @property {readonly string[]} imports - other rooms
 * @property {readonly string[]} [specs] - what its specs import beyond those: what they test it against
 * @property {true} [startsProcesses] - only rooms with this may start processes
 */

/** @satisfies {Record<string, Room>} */
const TABLE = {
  protos: { is: "messages, StateFun's wire protocol; `protos/gen` is generated", imports: [] },
  contract: {
    is: "what everybody must agree on: topics and consumer groups, limits, ports, what a record is, what makes two transactions the same, how a probability is written, that no key of JSON stands twice",
    imports: ["protos"],
  },
  process: {
    is: "what a process needs of its machine: environment, other processes, their priority and use, patience (`poll`)",
    imports: [],
    startsProcesses: true,
  },
  http: {
    is: "what every HTTP server of ours asks first: under which name it is called, from which page, and by whom; how it refuses; compressed bodies; what bounds its connections (`http/connections`)",
    imports: ["contract"],
  },
  terminal: {
    is: "what people meet: options, steps, errors in one line, reports as JSON and pages",
    imports: ["process"],
  },
  tools: {
    is: "brings what is not an npm package (jars, MinIO, k6, Chromium), and keeps it between clones",
    imports: ["process", "terminal"],
    startsProcesses: true,
  },
  flink: { is: "a client of Flink's REST interface", imports: ["process", "terminal"] },
  money: { is: "the currencies of ISO 4217, and how an amount is written", imports: [] },
  statefun: {
    is: "the TypeScript SDK, a package by itself with its own generated code; `statefun/testing` an in-memory runtime for specs; `statefun/transport` the batching transport, in Java",
    imports: [],
    specs: ["protos"],
  },
  functions: {
    is: "the four functions and the waiting room, one folder each; `server.ts` serves them",
    imports: ["protos", "contract", "process", "http", "statefun"],
  },
  kafka: { is: "the one way to Kafka from TypeScript", imports: ["protos", "contract", "process", "terminal"] },
  java: {
    is: "Kafka's own Java clients, run from here: a witness that shares no code with ours",
    imports: ["contract", "process", "terminal", "tools"],
    startsProcesses: true,
  },
  intake: {
    is: "the HTTP and Kafka doors, the rules of what may enter",
    imports: ["protos", "contract", "process", "http", "money", "statefun", "kafka"],
    specs: ["functions"],
  },
  models: {
    is: "model files, which are read; `npm run models`: which one decides, and which scores beside it",
    imports: ["protos", "contract", "process", "terminal", "statefun", "functions", "kafka", "intake"],
  },
  rejected: {
    is: "`npm run rejected`: what was refused, to be looked at, corrected and sent again",
    imports: ["protos", "contract", "terminal", "kafka", "java", "intake"],
  },
  topics: { is: "`npm run topics`: any topic, decoded", imports: ["contract", "terminal", "kafka", "java"] },
  "ingress-generator": {
    is: "the seeded transaction simulator, its producer and its pace; warm-up and latencies, which several commands share",
    imports: ["protos", "contract", "process", "terminal", "kafka"],
  },
  verifier: {
    is: "judges what stands in the topics, with its own reference implementation of the functions (`verifier/reference`); `npm run verify`",
    imports: ["protos", "contract", "process", "terminal", "tools", "java"],
    specs: ["statefun", "functions"],
  },
  trace: {
    is: "`npm run trace`: one transaction's way, and its decision derived again",
    imports: ["protos", "contract", "terminal", "tools", "money", "kafka", "java", "rejected", "verifier"],
    specs: ["statefun", "functions"],
  },
  dashboards: {
    is: "`dashboards/live`: the web app, which reads the topics and writes verdicts through the intake's door; Grafana, Prometheus, alert rules and their tests",
    imports: [
      "protos",
      "contract",
      "process",
      "http",
      "terminal",
      "flink",
      "money",
      "statefun",
      "functions",
      "kafka",
      "trace",
    ],
  },
  cluster: {
    is: "starts, watches, kills and stops the real parts; `cluster/compose` the same in containers, behind one interface (`RunningCluster`); `cluster/images` images from package registries",
    imports: ["contract", "process", "http", "terminal", "tools", "flink", "kafka", "java"],
    specs: ["statefun"],
    startsProcesses: true,
  },
  evaluation: {
    is: "how well frauds are found on the Fraud Detection Handbook's data set, streamed through a cluster or in batch (`npm run evaluate`), and the models that are trained on it (`npm run train`)",
    imports: [
      "protos",
      "contract",
      "process",
      "terminal",
      "tools",
      "functions",
      "kafka",
      "models",
      "ingress-generator",
      "cluster",
    ],
    specs: ["statefun"],
  },
  demo: {
    is: "`npm run demo`",
    imports: [
      "protos",
      "contract",
      "process",
      "terminal",
      "flink",
      "money",
      "kafka",
      "java",
      "ingress-generator",
      "verifier",
      "cluster",
    ],
  },
  loadtest: {
    is: "k6's scripts (`k6/`), a load judged (`run/`), faults (`failover/`), hostile records (`fuzz/`)",
    imports: [
      "protos",
      "contract",
      "process",
      "http",
      "terminal",
      "tools",
      "flink",
      "kafka",
      "java",
      "ingress-generator",
      "verifier",
      "cluster",
    ],
    specs: ["statefun"],
  },
  examples: {
    is: "a greeting in TypeScript and Python",
    imports: ["protos", "contract", "process", "http", "tools", "statefun", "cluster"],
  },
};

/** @type {Readonly<Record<string, Room>>} */
export const ROOMS = TABLE;

/** These look at everything: benchmarks, and tests of several rooms. */
export const OPEN_ROOMS = ["bench", "test"];

/** The rooms that the images of the servers have: these three, and what they import. */
export const SERVER_ROOMS = ["functions", "intake", "dashboards"];

/** The rooms that these import, and they themselves, in the table's order. @param {readonly string[]} rooms */
export function withImports(rooms) {
  const all = new Set(rooms);
  // One that comes later is imported by none before it.
  for (const name of Object.keys(ROOMS).reverse())
    if (all.has(name)) for (const other of ROOMS[name]?.imports ?? []) all.add(other);
  return Object.keys(ROOMS).filter((name) => all.has(name));
}
