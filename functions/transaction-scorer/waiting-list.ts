import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import type { ScorerState } from "../../protos/gen/fraud/v1/internal.js";

/**
 * Lets a transaction that overtook the next one wait, in account order.
 *
 * @param request - the encoded ScoringRequest
 * @returns false when the list would exceed `maxBytes`: the caller sends the transaction again later
 */
export function enqueue(state: ScorerState, seq: bigint, request: Uint8Array, maxBytes: number): boolean {
  const waiting = state.waiting.reduce((bytes, entry) => bytes + entry.request.length, 0);
  if (waiting + request.length > maxBytes) return false;
  let at = state.waiting.length;
  while (at > 0 && state.waiting[at - 1]!.accountSeq > seq) at--;
  state.waiting.splice(at, 0, { accountSeq: seq, request: Buffer.from(request) });
  return true;
}

/** Removes and returns the transaction after the last decided one, if it waits. */
export function takeNext(state: ScorerState): ScoringRequest | undefined {
  const first = state.waiting[0];
  if (first?.accountSeq !== state.decidedSeq + 1n) return undefined;
  state.waiting.shift();
  return ScoringRequest.decode(first.request);
}
