import fc from "fast-check";
import { expect, it } from "vitest";

import { ContentTable } from "./content-table.js";

const position = fc.record({
  topic: fc.constantFrom("decisions", "alerts"),
  partition: fc.nat(2),
  offset: fc.oneof(fc.nat(10_000), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 10_000 })).map(BigInt),
});
const content = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });

it("holds what a map would, wherever the offsets begin", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(position, content)), position, (entries, other) => {
      const table = new ContentTable();
      const map = new Map<string, bigint>();
      const key = ({ topic, partition, offset }: Parameters<ContentTable["get"]>[0]) =>
        `${topic} ${partition}@${offset}`;
      for (const [at, value] of entries) {
        table.set(at, value);
        map.set(key(at), value);
      }
      expect(table.size).toBe(map.size);
      expect(new Map([...table].map(([at, value]) => [key(at), value]))).toEqual(map);
      for (const at of [other, ...entries.map(([one]) => one)]) expect(table.get(at)).toBe(map.get(key(at)));
    }),
  );
});
