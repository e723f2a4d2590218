import type { FastifyReply, FastifyRequest } from "fastify";

import { problemDetails } from "./problem-details.js";
import { sendProblem } from "./problem-reply.js";
import { type OwnNames, type Refusal, stranger } from "./strangers.js";

/** How a server treats strangers. */
export interface StrangerOptions {
  /** As for {@link stranger}. */
  readonly navigation?: boolean;
  /** Told of each that is refused. */
  readonly onRefused?: (kind: Refusal["kind"]) => void;
}

/** Refuses a {@link stranger}, by Fastify. @returns whether it did */
export function refusesStranger(
  { raw }: Pick<FastifyRequest, "raw">,
  reply: FastifyReply,
  names: OwnNames,
  { navigation = false, onRefused }: StrangerOptions = {},
): boolean {
  const refusal = stranger(raw, names, { navigation });
  if (refusal === undefined) return false;
  onRefused?.(refusal.kind);
  void sendProblem(reply, problemDetails(refusal.status, refusal.detail));
  return true;
}
