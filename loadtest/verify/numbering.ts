import type { PropertyCheck } from "./property.js";
import type { AddressHistories, AddressInput } from "./records.js";

interface Checks {
  readonly accountSequence: PropertyCheck;
  readonly merchantSequence: PropertyCheck;
  readonly eventSequence: PropertyCheck;
}

/** Looks whether all numbers 1..N are there, once each, at every address. */
export function checkNumbering({ accounts, merchants }: AddressHistories, { accountSequence, merchantSequence, eventSequence }: Checks): void {
  for (const [id, inputs] of accounts) {
    checkNumbers(`account ${id}, event_seq`, inputs, ({ eventSeq }) => eventSeq, eventSequence);
    checkNumbers(`account ${id}, seq`, inputs, ({ decision }) => decision?.().evidence!.account!.seq, accountSequence);
  }
  for (const [id, inputs] of merchants) {
    checkNumbers(`merchant ${id}, event_seq`, inputs, ({ eventSeq }) => eventSeq, eventSequence);
    checkNumbers(`merchant ${id}, seq`, inputs, ({ decision }) => decision?.().evidence!.merchant!.seq, merchantSequence);
  }
}

function checkNumbers(what: string, inputs: readonly AddressInput[], numberOf: (input: AddressInput) => bigint | undefined, check: PropertyCheck): void {
  const numbered = inputs.flatMap((input) => {
    const number = numberOf(input);
    return number === undefined ? [] : [{ number, place: input.place }];
  });
  numbered.sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0));
  check.looked(numbered.length);
  let last = { number: 0n, place: "" };
  for (const one of numbered) {
    if (one.number === last.number) check.violation(`${what}: ${one.number} stands there twice`, last.place, one.place);
    else if (one.number !== last.number + 1n) check.violation(`${what}: ${last.number} is followed by ${one.number}`, ...(last.place ? [last.place] : []), one.place);
    last = one;
  }
}
