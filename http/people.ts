import { createHash, timingSafeEqual } from "node:crypto";

import { z } from "zod";

import { MAX_NAME_BYTES } from "../contract/input-bounds.js";

/** Characters that a token has at least: it is guessed by nobody. */
export const MIN_TOKEN_LENGTH = 16;

/** A person and the token that only this person has. */
export interface Person {
  readonly name: string;
  readonly token: string;
}

/**
 * A variable that lists people with their tokens: `Ada Lovelace:TOKEN, Grace Hopper:TOKEN`. What is before the first
 * colon is the name; a token has no comma and no space.
 */
export const peopleList = z.string().transform((text, context): readonly Person[] => {
  const people: Person[] = [];
  for (const entry of text.split(",").map((one) => one.trim())) {
    if (entry === "") continue;
    const problem = (what: string): never[] => {
      context.addIssue({ code: "custom", message: `entry ${people.length + 1} ${what}; write NAME:TOKEN, NAME:TOKEN` });
      return [];
    };
    const colon = entry.indexOf(":");
    // Of what has no colon nobody can say whether it is a token, so no message shows it.
    if (colon < 0) return problem("has no colon");
    const [name, token] = [entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()];
    // eslint-disable-next-line no-control-regex -- these are what a name must not have
    if (name === "" || Buffer.byteLength(name) > MAX_NAME_BYTES || /[\u0000-\u001f\u007f-\u009f]/.test(name))
      return problem(`has no name of 1 to ${MAX_NAME_BYTES} bytes without control characters`);
    if (token.length < MIN_TOKEN_LENGTH || /\s/.test(token))
      return problem(`(${name}) needs a token of at least ${MIN_TOKEN_LENGTH} characters, without spaces`);
    if (people.some((one) => one.name === name)) return problem(`names ${name} a second time`);
    if (people.some((one) => one.token === token)) return problem(`(${name}) has the token of another person`);
    people.push({ name, token });
  }
  return people;
});

/** Compares two tokens by their hashes, so that the time taken tells nothing of them. */
export const isSameToken = (shown: string, wanted: string): boolean => timingSafeEqual(sha256(shown), sha256(wanted));

/**
 * Whose token this is; `undefined` if nobody's. Compares with everyone's, so that the time taken does not reveal whose
 * it is.
 */
export function personWith(token: string, people: readonly Person[]): Person | undefined {
  let found: Person | undefined;
  for (const person of people) if (isSameToken(token, person.token)) found = person;
  return found;
}

/** The token of a header `Authorization: Bearer …`; `undefined`: there is none. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  /^Bearer (.+)$/.exec(authorization ?? "")?.[1];

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
