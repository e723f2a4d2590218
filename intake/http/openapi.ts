import { z } from "zod";

import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { labelJson, transactionJson } from "../json-input.js";
import { MAX_BODY_BYTES, MAX_ITEMS, NDJSON_TYPES } from "./body.js";
import { CODINGS } from "../../http/content-coding.js";
import { PROBLEM_TYPE } from "../../http/problem-details.js";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = Readonly<Record<string, Json>>;

const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: "string", description, ...more });
const object = (required: readonly string[], properties: JsonObject): JsonObject => ({
  type: "object",
  required,
  properties,
  additionalProperties: false,
});

const DECISION = object(
  ["accountId", "transactionId", "status", "outcome", "score", "reasons", "modelId", "accountSeq", "possibleRepeat"],
  {
    accountId: { type: "string" },
    transactionId: { type: "string" },
    status: text("provisional until its checkpoint completes: a failure can still take it back", {
      enum: ["committed", "provisional"],
    }),
    outcome: { type: "string", enum: ["APPROVE", "REVIEW", "DECLINE", "ERROR"] },
    score: { type: "integer", minimum: 0, maximum: 1000 },
    reasons: {
      type: "array",
      items: object(["code", "points"], { code: { type: "string" }, points: { type: "integer" } }),
    },
    modelId: { type: "string" },
    accountSeq: text("the transaction's number among the account's"),
    possibleRepeat: {
      type: "boolean",
      description:
        "as old as what the account has forgotten: it may have been decided before; the last of several decisions is shown",
    },
  },
);

const PROBLEM = object(["type", "title", "status", "detail"], {
  type: { type: "string", format: "uri-reference" },
  title: { type: "string" },
  status: { type: "integer" },
  detail: { type: "string" },
  reason: text("the rule that was broken", {
    enum: [
      ...Object.values(IntakeReason).filter(
        (name): name is string => typeof name === "string" && name !== "UNSPECIFIED",
      ),
      "ID_CONFLICT",
    ],
  }),
  field: text("the field that broke it, such as location.latitudeE6"),
});

const LABEL_OUTCOME = object(["labelId", "accountId", "transactionId", "status"], {
  labelId: { type: "string" },
  accountId: { type: "string" },
  transactionId: { type: "string" },
  status: text("recorded: it holds, or held until a later one came; refused: it changed nothing", {
    enum: ["recorded", "refused"],
  }),
  revision: text("if recorded: its own, or the next one where it had none", { type: "integer" }),
  fraudDelta: text("if recorded: 1 for one more confirmed fraud, -1 for one taken back", { type: "integer" }),
  effectiveAtMs: text("if recorded: from when it counts, or counted; milliseconds since 1970"),
  eventSeq: text("if recorded: its number among all changes of the account's state"),
  reason: text("why it was refused, such as STALE_REVISION or REVISION_AHEAD"),
  detail: text("the same in words, with the cure"),
});

const ACCEPTED = object(["accountId", "id", "status"], {
  accountId: { type: "string" },
  id: text("of the transaction or label"),
  status: text("decided: the decision came while the client waited", { enum: ["accepted", "decided"] }),
  decision: ref("Decision"),
});

const RESULTS = object(["accepted", "refused", "results"], {
  accepted: { type: "integer" },
  refused: { type: "integer" },
  results: {
    type: "array",
    items: object(["index", "status"], {
      index: text("its place in the request, from 0", { type: "integer" }),
      status: { type: "string", enum: ["accepted", "decided", "conflict", "refused"] },
      accountId: { type: "string" },
      id: { type: "string" },
      decision: ref("Decision"),
      problem: ref("Problem"),
    }),
  },
});

const json = (description: string, schema: JsonObject): JsonObject => ({
  description,
  content: { "application/json": { schema } },
});
const problem = (description: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers,
  content: { [PROBLEM_TYPE]: { schema: ref("Problem") } },
});
const parameter = (
  where: string,
  name: string,
  description: string,
  schema: JsonObject = { type: "string" },
): JsonObject => ({ in: where, name, description, schema, required: where === "path" });
const WAIT = [
  parameter("query", "wait", "wait for it, such as 2s or 500ms; 30s at most", {
    type: "string",
    pattern: "^\\d{1,6}(ms|s)$",
  }),
  parameter("query", "for", "which decision to wait for: the first one, or a committed one", {
    type: "string",
    enum: ["provisional", "committed"],
    default: "provisional",
  }),
];
const NAMED_MODEL = object(["id", "hash"], {
  id: { type: "string" },
  hash: { type: "string", description: "hexadecimal SHA-256 of its file" },
});
const FAILING: JsonObject = object(["consumer", "cause", "restarts"], {
  consumer: { type: "string" },
  cause: { type: "string" },
  restarts: { type: "integer" },
});
/** What any request may get. */
const STRANGER: JsonObject = {
  400: problem("the request has two headers Host"),
  403: problem("a page of another origin sent it, or the token is for something else"),
  421: problem("not by one of this intake's names"),
};
const RETRY_AFTER: JsonObject = { "Retry-After": { description: "seconds", schema: { type: "integer" } } };

function post(kind: "Transaction" | "FraudLabel", summary: string, waits: boolean): JsonObject {
  return {
    summary,
    operationId: waits ? "sendTransactions" : "sendLabels",
    description: `One, an array, or one a line; at most ${MAX_ITEMS} and ${MAX_BODY_BYTES} bytes. Answered once Kafka has acknowledged. Sending the same id and content again is harmless.`,
    parameters: [
      ...(waits ? WAIT : []),
      parameter("header", "Content-Encoding", `the body's: ${CODINGS}. Decoded, it has the same bounds`),
    ],
    requestBody: {
      required: true,
      content: {
        // And every other type that ends in +json.
        "application/json": {
          schema: { oneOf: [ref(kind), { type: "array", items: ref(kind), minItems: 1, maxItems: MAX_ITEMS }] },
        },
        ...Object.fromEntries(
          NDJSON_TYPES.map((type) => [type, { schema: { type: "string", description: `a ${kind} a line` } }]),
        ),
      },
    },
    responses: {
      ...(waits && { 200: json("decided while the client waited", ref("Accepted")) }),
      202: json("Kafka has every input that was not refused", { oneOf: [ref("Accepted"), ref("Results")] }),
      ...STRANGER,
      400: problem("the one input is refused, or the request as a whole"),
      401: problem("no valid token"),
      ...(waits && {
        409: problem("the account knows this id with different content (reported only to clients that wait)"),
      }),
      413: problem("too many inputs, or bytes"),
      415: problem("an unsupported content type or content coding", {
        "Accept-Encoding": { description: "if it was the coding: the supported ones", schema: { type: "string" } },
      }),
      429: problem(
        `Kafka lags or is away${waits ? ", or the pipeline is too far behind" : ""}: try again, with the same ids`,
        RETRY_AFTER,
      ),
      503: problem(
        "the intake is stopping, Kafka has no room for more, or other requests' bodies take all the room: try again, with the same ids",
        RETRY_AFTER,
      ),
    },
  };
}

/** The API's description, OpenAPI 3.1. */
export function openApi({ withToken }: { readonly withToken: boolean }): JsonObject {
  const schemaOf = (schema: z.ZodType): JsonObject => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" }) as Record<string, Json>;
    return rest;
  };
  return {
    openapi: "3.1.0",
    info: { title: "Fraud detection intake", version: "1.0.0", description: "Card transactions in, decisions out." },
    ...(withToken && { security: [{ token: [] }] }),
    paths: {
      "/v1/transactions": { post: post("Transaction", "Send transactions", true) },
      "/v1/labels": { post: post("FraudLabel", "Send verdicts on transactions", false) },
      "/v1/accounts/{account}/decisions/{transaction}": {
        get: {
          summary: "The decision on a transaction, among the newest",
          operationId: "findDecision",
          parameters: [
            parameter("path", "account", "account id"),
            parameter("path", "transaction", "transaction id"),
            ...WAIT,
          ],
          responses: {
            200: json("the decision", ref("Decision")),
            ...STRANGER,
            400: problem("a parameter is not valid, or the request as a whole"),
            401: problem("no valid token"),
            404: problem("none is known"),
            429: problem("too many wait: ask without wait, or later", RETRY_AFTER),
          },
        },
      },
      "/v1/labels/{label}": {
        get: {
          summary: "The outcome of a label, among the newest",
          operationId: "findLabel",
          parameters: [parameter("path", "label", "label id"), WAIT[0]!],
          responses: {
            200: json("the outcome", ref("LabelOutcome")),
            ...STRANGER,
            400: problem("a parameter is not valid, or the request as a whole"),
            401: problem("no valid token"),
            404: problem("none is known"),
            429: problem("too many wait: ask without wait, or later", RETRY_AFTER),
          },
        },
      },
      "/healthz": {
        get: {
          summary: "Alive, and reading what it should",
          operationId: "health",
          security: [],
          responses: {
            ...STRANGER,
            200: json("all is well", object(["status"], { status: { type: "string" } })),
            503: json(
              "a consumer is not reading; it is restarted until it does",
              object(["status", "failing"], { status: { type: "string" }, failing: { type: "array", items: FAILING } }),
            ),
          },
        },
      },
      "/readyz": {
        get: {
          summary: "Ready to take inputs",
          operationId: "readiness",
          security: [],
          responses: {
            ...STRANGER,
            ...Object.fromEntries(
              [200, 503].map((status) => [
                status,
                json(
                  status === 200 ? "ready" : "not ready",
                  object(["status", "missing", "models"], {
                    status: { type: "string" },
                    missing: { type: "array", items: { type: "string" } },
                    models: {
                      description:
                        "what transactions are stamped with: the model that scores them, and the one that does so beside it; empty: the function server's default, and none. null: not known yet",
                      anyOf: [
                        { type: "null" },
                        object(["model", "challenger"], { model: NAMED_MODEL, challenger: NAMED_MODEL }),
                      ],
                    },
                  }),
                ),
              ]),
            ),
          },
        },
      },
      "/metrics": {
        get: {
          summary: "Prometheus metrics",
          operationId: "metrics",
          security: [],
          responses: {
            ...STRANGER,
            200: { description: "metrics", content: { "text/plain": { schema: { type: "string" } } } },
          },
        },
      },
      "/openapi.json": {
        get: {
          summary: "This document",
          operationId: "openapi",
          security: [],
          responses: { ...STRANGER, 200: json("OpenAPI 3.1", { type: "object" }) },
        },
      },
    },
    components: {
      ...(withToken && { securitySchemes: { token: { type: "http", scheme: "bearer" } } }),
      schemas: {
        Transaction: schemaOf(transactionJson),
        FraudLabel: schemaOf(labelJson),
        Decision: DECISION,
        LabelOutcome: LABEL_OUTCOME,
        Problem: PROBLEM,
        Accepted: ACCEPTED,
        Results: RESULTS,
      },
    },
  };
}
