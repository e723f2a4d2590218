import type { PropertyCheck } from "./property.js";
import type { AddressHistories, AddressInput } from "./records.js";

/**
 * Checks that every address has all numbers 1..N, once each.
 *
 * @param kind - of the addresses, for people
 */
export function checkNumbering(
  kind: "account" | "merchant",
  addresses: AddressHistories,
  sequence: PropertyCheck,
  eventSequence: PropertyCheck,
): void {
  for (const [id, inputs] of addresses) {
    checkNumbers(`${kind} ${id}, event_seq`, inputs, ({ eventSeq }) => eventSeq, eventSequence);
    checkNumbers(`${kind} ${id}, seq`, inputs, ({ seq }) => seq, sequence);
  }
}

function checkNumbers(
  what: string,
  inputs: readonly AddressInput[],
  numberOf: (input: AddressInput) => bigint | undefined,
  check: PropertyCheck,
): void {
  const numbered = inputs.flatMap((input) => {
    const number = numberOf(input);
    return number === undefined ? [] : [{ number, position: input.position }];
  });
  numbered.sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0));
  check.looked(numbered.length);
  let last = { number: 0n, position: "" };
  for (const one of numbered) {
    if (one.number === last.number)
      check.violation(`${what}: ${one.number} stands there twice`, last.position, one.position);
    else if (one.number !== last.number + 1n)
      check.violation(
        `${what}: ${last.number} is followed by ${one.number}`,
        ...(last.position ? [last.position] : []),
        one.position,
      );
    last = one;
  }
}
