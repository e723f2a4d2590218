import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MakingRoom } from "./making-room.js";

/** The later, the more it is missed. */
const STAGES = ["fresh", "idle", "sending", "unread", "waiting"] as const;
interface Known {
  readonly stage: (typeof STAGES)[number];
  /** Since which step. */
  readonly since: number;
  /** Since when it has had a request open. */
  readonly askedSince: number;
}

describe("room for a connection", () => {
  it("is made by one of the least use, and of these by the one that has been at it for longest", () => {
    const action = fc.constantFrom("open", "ask", "send", "sent", "read", "stop reading", "answer", "close");
    fc.assert(
      fc.property(fc.array(fc.tuple(action, fc.nat(3)), { maxLength: 80, size: "max" }), (steps) => {
        const known = new Map<number, Known>();
        const room = new MakingRoom<number>((connection) => known.get(connection)?.stage === "unread");
        for (const [now, [what, connection]] of steps.entries()) {
          const { stage, askedSince } = known.get(connection) ?? {};
          const isAt = (next: Known["stage"], asked = askedSince ?? now): void =>
            void known.set(connection, { stage: next, since: next === "unread" ? asked : now, askedSince: asked });
          if (what === "open" && stage === undefined) {
            room.opened(connection);
            isAt("fresh");
          } else if ((what === "ask" || what === "send") && (stage === "fresh" || stage === "idle")) {
            room.asked(connection, what === "send");
            isAt(what === "send" ? "sending" : "waiting", now);
          } else if (what === "sent" && stage === "sending") {
            room.sent(connection);
            isAt("waiting");
          } else if (what === "stop reading" && stage === "waiting") isAt("unread");
          else if (what === "read" && stage === "unread") isAt("waiting");
          else if (what === "answer" && (stage === "waiting" || stage === "sending")) {
            room.answered(connection);
            isAt("idle");
          } else if (what === "close" && stage !== undefined) {
            room.forget(connection);
            known.delete(connection);
          }
          const [least] = [...known]
            .filter(([, one]) => one.stage !== "waiting")
            .sort(
              ([, one], [, other]) =>
                STAGES.indexOf(one.stage) - STAGES.indexOf(other.stage) || one.since - other.since,
            );
          expect(room.next()).toBe(least?.[0]);
          for (const [one, is] of known) expect(room.isFresh(one)).toBe(is.stage === "fresh");
        }
      }),
    );
  });
});
