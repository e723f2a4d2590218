import { z } from "zod";

import { BASE_PORTS } from "../contract/ports.js";
import { MIN_TOKEN_LENGTH, peopleList } from "../http/people.js";
import { hostList, type OwnNames } from "../http/strangers.js";
import { fromEnvironment, integer, listening } from "../process/server-program.js";
import type { Tokens } from "./http/authorisation.js";
import { MAX_AHEAD_MS } from "./rules.js";

const environment = z.object({
  ...listening(BASE_PORTS.intake),
  KAFKA: z.string().default("127.0.0.1:9092"),
  INTAKE_TOKEN: z.string().min(MIN_TOKEN_LENGTH).optional(),
  INTAKE_LABEL_TOKEN: z.string().min(MIN_TOKEN_LENGTH).optional(),
  INTAKE_LABEL_USERS: peopleList.default([]),
  INTAKE_HOSTS: z.string().default(""),
  INTAKE_MAX_AHEAD_MS: integer(MAX_AHEAD_MS, 0, 100 * 365 * 24 * 3_600_000),
  INTAKE_KEEP_DECISIONS: integer(50_000, 0, 10_000_000),
  INTAKE_MAX_BACKLOG_SECONDS: integer(60, 0, 24 * 3_600),
  INTAKE_MIN_FREE_MB: integer(256, 0, 1_000_000_000),
});

/** What the environment tells an intake. */
export interface IntakeSettings {
  readonly host: string;
  readonly port: number;
  /** `host:port` of a broker. */
  readonly brokers: string;
  /**
   * `INTAKE_TOKEN`, `INTAKE_LABEL_TOKEN`, `INTAKE_LABEL_USERS`: what HTTP clients must show; at least 16 characters
   * each.
   */
  readonly tokens: Tokens;
  /** `INTAKE_HOSTS`: names, with ports, by which it may be asked, besides those of loopback. */
  readonly names: OwnNames;
  /**
   * `INTAKE_MAX_AHEAD_MS`: how far event time may run ahead of the clock; raise it only to replay recorded traffic.
   */
  readonly maxAheadMs: number;
  /** `INTAKE_KEEP_DECISIONS`: how many of the newest decisions can be asked for; about 1 KB each. */
  readonly keepDecisions: number;
  /**
   * `INTAKE_MAX_BACKLOG_SECONDS`: when the pipeline's backlog exceeds this, the HTTP door takes no transactions; 0: it
   * always takes them.
   */
  readonly maxBacklogSeconds: number;
  /**
   * `INTAKE_MIN_FREE_MB`, here in bytes: while less of Kafka's disk is free, no door takes anything; 0: however little
   * is.
   */
  readonly minFreeBytes: number;
}

/** @throws Error that names the variable that is wrong */
export function intakeSettings(env: NodeJS.ProcessEnv): IntakeSettings {
  const settings = fromEnvironment(environment, env);
  const tokens: Tokens = {
    transactions: settings.INTAKE_TOKEN,
    labels: settings.INTAKE_LABEL_TOKEN,
    people: settings.INTAKE_LABEL_USERS,
  };
  if (tokens.labels !== undefined && tokens.labels === tokens.transactions)
    throw new Error(
      "INTAKE_LABEL_TOKEN is the same as INTAKE_TOKEN: whoever sends transactions could send labels. Make up another",
    );
  for (const { name, token } of settings.INTAKE_LABEL_USERS)
    if (token === tokens.transactions || token === tokens.labels)
      throw new Error(
        `INTAKE_LABEL_USERS gives ${name} the token of ${token === tokens.labels ? "INTAKE_LABEL_TOKEN" : "INTAKE_TOKEN"}: nobody could tell who labels. Make up another`,
      );
  return {
    host: settings.HOST,
    port: settings.PORT,
    brokers: settings.KAFKA,
    tokens,
    names: { hosts: hostList(settings.INTAKE_HOSTS), variable: "INTAKE_HOSTS" },
    maxAheadMs: settings.INTAKE_MAX_AHEAD_MS,
    keepDecisions: settings.INTAKE_KEEP_DECISIONS,
    maxBacklogSeconds: settings.INTAKE_MAX_BACKLOG_SECONDS,
    minFreeBytes: settings.INTAKE_MIN_FREE_MB * 1_000_000,
  };
}
