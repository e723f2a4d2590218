import { setImmediate as turn } from "node:timers/promises";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { RefusedError } from "../problem.js";
import { type BodyItem, MAX_ITEM_BYTES, readBody, TooManyItemsError } from "./body.js";
import { hostileBodies } from "./testing/hostile-bodies.js";

afterEach(() => void vi.restoreAllMocks());

const jsonOf = (item: BodyItem): unknown => ("json" in item ? item.json : item.refused);
const read = async (text: string | Buffer, lines = false): Promise<unknown> => {
  const { many, results } = await readBody(Buffer.from(text), lines, jsonOf);
  return many ? results : results[0];
};

describe("readBody", () => {
  it.each(hostileBodies().map((body) => [body.name, body] as const))("counts %s first", async (_, body) => {
    const taken: BodyItem[] = [];
    const parsed = vi.spyOn(JSON, "parse");
    const reading = readBody(body.bytes, body.lines, (item) => void taken.push(item));
    if (body.status === 413) await expect(reading).rejects.toBeInstanceOf(TooManyItemsError);
    else await reading.catch((error: unknown) => expect(error).toBeInstanceOf(RefusedError));
    expect(taken).toHaveLength(body.inputs);
    // One input is read as far as its size limit: when keys are escaped, it is read once more to find duplicates.
    for (const [text] of parsed.mock.calls) expect(text.length).toBeLessThanOrEqual(MAX_ITEM_BYTES);
    if (body.inputs === 0) expect(parsed).not.toHaveBeenCalled();
  });

  it("lets others have their turns between inputs that take long", async () => {
    // What came before uses its turn to the end.
    await turn();
    await turn();
    let nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const seen: string[] = [];
    const reading = readBody(Buffer.from("[1,2,3,4,5,6]"), false, (item) => {
      nowMs += 15;
      seen.push(String(jsonOf(item)));
    });
    // What there was time for immediately is done.
    seen.push("others");
    for (let others = 0; seen.length < 9; others++) {
      expect(others).toBeLessThan(10);
      await turn();
      seen.push("others");
    }
    await reading;
    const turns = seen.join(" ").split("others");
    expect(turns.filter((work) => work.trim() !== "").length).toBeGreaterThanOrEqual(3);
    // A turn of 10 ms is over after one of 15.
    for (const work of turns) expect(work.trim().split(" ").length).toBeLessThanOrEqual(2);
  });

  it("reads an array as JSON.parse does", async () => {
    const text = fc
      .array(fc.jsonValue(), { minLength: 1, maxLength: 5 })
      .map((json) => JSON.stringify(json, undefined, json.length));
    await fc.assert(
      fc.asyncProperty(text, async (one) => {
        expect(await read(one)).toEqual(JSON.parse(one));
      }),
    );
  });

  it("refuses what JSON.parse refuses, as a whole", async () => {
    const piece = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"',
      "\\",
      "1",
      '"a"',
      " ",
      "\ufeff",
      "\n",
      '{"a":1}',
      "null",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = `[${pieces.join("")}`;
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          await expect(read(text)).rejects.toMatchObject({ reason: IntakeReason.UNREADABLE });
          return;
        }
        if (Array.isArray(expected) && expected.length === 0)
          await expect(read(text)).rejects.toMatchObject({ reason: IntakeReason.EMPTY });
        else expect(await read(text)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["[1}", "an array ends like an object"],
    ["[1] 2", "something follows"],
    ["[1", "has no end"],
    ["[1,,2]", "in place 1 of the array"],
    ["[1,\ufeff2]", "in place 1 of the array"],
  ])("says what is wrong with %s", async (text, why) => {
    await expect(read(text)).rejects.toMatchObject({
      reason: IntakeReason.UNREADABLE,
      message: expect.stringContaining(why) as string,
    });
  });

  it("takes a byte order mark before the whole body, and before each line", async () => {
    expect(await read("\ufeff[1]")).toEqual([1]);
    expect(await read("\ufeff1")).toBe(1);
    expect(await read("\ufeff1\n\ufeff2", true)).toEqual([1, 2]);
  });

  it("refuses an input that is longer than any may be, without reading it", async () => {
    const long = `{"a":"${"a".repeat(MAX_ITEM_BYTES)}"}`;
    const parsed = vi.spyOn(JSON, "parse");
    expect(await read(long)).toMatchObject({ reason: IntakeReason.TOO_LARGE });
    expect(await read(`1\n${long}\n2`, true)).toMatchObject([1, { reason: IntakeReason.TOO_LARGE }, 2]);
    await expect(read(`[1,${long}]`)).rejects.toMatchObject({ reason: IntakeReason.TOO_LARGE });
    expect(parsed.mock.calls.flat()).not.toContain(long);
  });
});
