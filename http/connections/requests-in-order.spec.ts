import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RequestsInOrder } from "./requests-in-order.js";

describe("requests of a connection", () => {
  it("are worked on in the order in which they came, one for each that is answered", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(3)), { maxLength: 40, size: "max" }), (steps) => {
        const requests = new RequestsInOrder<number>();
        const worked: [number, number][] = [];
        const waiting = new Map<number, number[]>();
        for (const [n, [comes, connection]] of steps.entries()) {
          const rest = waiting.get(connection) ?? [];
          waiting.set(connection, rest);
          if (comes) {
            rest.push(n);
            expect(requests.add(connection, () => worked.push([connection, n]))).toBe(rest.length);
          } else {
            const before = worked.length;
            requests.next(connection);
            const next = rest.shift();
            expect(worked.slice(before)).toEqual(next === undefined ? [] : [[connection, next]]);
          }
        }
      }),
    );
  });

  it("are not worked on when it is gone", () => {
    const requests = new RequestsInOrder<string>();
    requests.add("a", () => expect.unreachable());
    requests.forget("a");
    requests.next("a");
    expect(requests.add("a", () => undefined)).toBe(1);
  });
});
