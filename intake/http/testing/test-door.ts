import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import { afterEach, beforeEach, expect } from "vitest";

import type { ConsumerHealth } from "../../../kafka/consumer-health.js";
import type { OutgoingRecord } from "../../../kafka/record-writer.js";
import { Decision, Outcome } from "../../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { pack } from "../../../statefun/index.js";
import type { Overload } from "../../backlog/backlog-gate.js";
import { DecisionIndex } from "../../decision-index.js";
import { LabelIndex } from "../../label-index.js";
import { intakeMetrics } from "../../metrics.js";
import { ModelsInForceIndex } from "../../models-in-force.js";
import type { Shortage } from "../../room/room-gate.js";
import type { Tokens } from "../authorisation.js";
import { httpDoor } from "../http-door.js";
import { openApi } from "../openapi.js";

export type Sent = Readonly<Record<string, unknown>>;
export const transaction: Sent = {
  transactionId: "t",
  accountId: "a",
  merchantId: "m",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: 1_700_000_000_000,
};
export const label: Sent = {
  labelId: "l",
  accountId: "a",
  transactionId: "t",
  merchantId: "m",
  verdict: "FRAUD",
  eventTimeMs: 1_700_000_000_000,
};

/** What stands around the door: its Kafka, the pipeline's news, and what came out. */
interface TestDoor {
  app: FastifyInstance;
  readonly written: OutgoingRecord[];
  readonly kafka: { queuedBytes: number; stalledMs: number; fails: boolean };
  overload: Overload | undefined;
  shortage: Shortage | undefined;
  index: DecisionIndex;
  labels: LabelIndex;
  models: ModelsInForceIndex;
  missing: string[];
  consumers: ConsumerHealth[];
}

/** The door under test, fresh for each: see {@link useDoor}. */
export const door = {
  written: [],
  kafka: { queuedBytes: 0, stalledMs: 0, fails: false },
} as Pick<TestDoor, "written" | "kafka"> as TestDoor;

export const gauges = {
  queuedBytes: () => 0,
  lag: () => Promise.resolve([]),
  backlogSeconds: () => undefined,
  room: () => undefined,
  consumers: () => door.consumers,
};

/** Opens a door on what {@link door} holds; the caller puts it there. */
export function open(
  tokens: Partial<Tokens> = {},
  metrics = intakeMetrics(gauges).metrics,
  maxConnections = 10,
  maxHeldBytes?: number,
): FastifyInstance {
  return httpDoor({
    ...(maxHeldBytes !== undefined && { maxHeldBytes }),
    maxConnections,
    writer: {
      write: (records) => {
        if (door.kafka.fails) return Promise.reject(new Error("no broker"));
        door.written.push(...records);
        return Promise.resolve();
      },
      get queuedBytes() {
        return door.kafka.queuedBytes;
      },
      get stalledMs() {
        return door.kafka.stalledMs;
      },
    },
    overload: () => door.overload,
    shortage: () => door.shortage,
    index: door.index,
    labels: door.labels,
    get models() {
      return door.models;
    },
    metrics,
    maxAheadMs: 300_000,
    logger: pino({ level: "silent" }),
    tokens: { transactions: undefined, labels: undefined, ...tokens },
    names: { hosts: ["fraud.example"], variable: "INTAKE_HOSTS" },
    health: () => door.consumers,
    notReady: () => door.missing,
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "" }),
  });
}

/** Has a new door opened before each test of the file, and closed after it. */
export function useDoor(): void {
  beforeEach(() => {
    door.written.length = 0;
    Object.assign(door.kafka, { queuedBytes: 0, stalledMs: 0, fails: false });
    door.overload = undefined;
    door.shortage = undefined;
    door.index = new DecisionIndex(100);
    door.labels = new LabelIndex(100);
    door.models = new ModelsInForceIndex();
    door.models.caughtUp();
    door.missing = [];
    door.consumers = [];
    door.app = open();
  });
  afterEach(() => door.app.close());
}

/** The newest transaction that was written, decided. */
export function decide(committed: boolean, change: Partial<Transaction> = {}): void {
  const decision = Decision.fromPartial({
    evidence: {
      transaction: { ...Transaction.decode(door.written.at(-1)!.value!), ...change },
      account: { seq: 1n },
      scoring: { score: 450, outcome: Outcome.REVIEW, modelId: "points", reasons: [{ code: "WHY", points: 450 }] },
    },
  });
  door.index[committed ? "onCommitted" : "onWritten"]({
    partition: 0,
    offset: 1n,
    value: Buffer.from(Any.encode(pack(Decision, decision)).finish()),
  });
}

const document = openApi({ withToken: true }) as {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<
              Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
            >;
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: object };
};
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);

/** The answer must be one that the OpenAPI document describes. */
export function conforms(path: string, method: string, response: LightMyRequestResponse): unknown {
  const described = document.paths[path]?.[method]?.responses[String(response.statusCode)];
  const type = String(response.headers["content-type"]).split(";", 1)[0]!;
  const schema = described?.content?.[type]?.schema;
  expect(schema, `${method} ${path} ${response.statusCode} ${type} is not in the OpenAPI document`).toBeDefined();
  const body: unknown = response.json();
  const validate = ajv.compile({ ...schema, components: document.components });
  expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
  return body;
}

export const post = async (
  payload: unknown,
  { kind = "transactions", query = "", type = "application/json", coding = undefined as string | undefined } = {},
) => {
  const response = await door.app.inject({
    method: "POST",
    url: `/v1/${kind}${query}`,
    headers: { "content-type": type, ...(coding !== undefined && { "content-encoding": coding }) },
    payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  return { response, body: conforms(`/v1/${kind}`, "post", response) };
};
