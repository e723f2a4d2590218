import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import type { ScorerState, WaitingRequest } from "../../protos/gen/fraud/v1/internal.js";

/** As many are fetched from the waiting room at most before their turn: the way there and back takes a while. */
const FETCHED_AHEAD = 16;

/**
 * Lets a transaction that overtook the next one wait, in account order. The list has the lowest numbers; which of the
 * others are parked, `state` says.
 *
 * @returns those for which there is no place within `maxBytes`: the caller parks them in the waiting room
 */
export function enqueue(state: ScorerState, entry: WaitingRequest, maxBytes: number): WaitingRequest[] {
  const { waiting } = state;
  const parked: WaitingRequest[] = [];
  if (state.parkedFrom > 0n && entry.accountSeq >= state.parkedFrom) parked.push(entry);
  else {
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.accountSeq > entry.accountSeq) at--;
    waiting.splice(at, 0, entry);
    let bytes = waiting.reduce((sum, { request }) => sum + request.length, 0);
    while (bytes > maxBytes) {
      const last = waiting.pop()!;
      bytes -= last.request.length;
      parked.push(last);
    }
  }
  for (const { accountSeq } of parked) {
    if (state.parkedFrom === 0n || accountSeq < state.parkedFrom) state.parkedFrom = accountSeq;
    if (accountSeq > state.parkedTo) state.parkedTo = accountSeq;
  }
  if (state.parkedFrom > 0n)
    for (const { request } of [...waiting, ...parked])
      state.largestWaiting = Math.max(state.largestWaiting, request.length);
  return parked;
}

/** Removes and returns the transaction after the last decided one, if it waits. */
export function takeNext(state: ScorerState): ScoringRequest | undefined {
  const first = state.waiting[0];
  if (first?.accountSeq !== state.decidedSeq + 1n) return undefined;
  state.waiting.shift();
  return ScoringRequest.decode(first.request);
}

/**
 * What is to be fetched from the waiting room now that transactions were decided: always the next one, if it may be
 * there, and as many after it as certainly have a place in the list. So none is parked twice, unless larger ones come.
 *
 * @returns account numbers. Not each of them is there: some may still be on their way to the scorer.
 */
export function toFetch(state: ScorerState, maxBytes: number): bigint[] {
  if (state.parkedFrom === 0n) return [];
  const ahead = Math.max(1, Math.min(FETCHED_AHEAD, Math.floor(maxBytes / state.largestWaiting)));
  const numbers: bigint[] = [];
  for (; state.parkedFrom <= state.parkedTo && state.parkedFrom <= state.decidedSeq + BigInt(ahead); state.parkedFrom++)
    numbers.push(state.parkedFrom);
  if (state.parkedFrom > state.parkedTo) {
    state.parkedFrom = state.parkedTo = 0n;
    state.largestWaiting = 0;
  }
  return numbers;
}
