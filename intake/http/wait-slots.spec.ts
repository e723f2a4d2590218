import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { WaitSlots } from "./wait-slots.js";

const connection = () => {
  const socket = new EventEmitter();
  return { socket, request: { socket } as unknown as IncomingMessage };
};

describe("places to wait", () => {
  it("are bounded for all clients together, by what they wait for", () => {
    const places = new WaitSlots(10);
    const [one, other] = [connection(), connection()];
    const place = places.take(one.request, 8);
    expect(place).toBeDefined();
    expect(places.take(other.request, 3)).toBeUndefined();
    expect(places.take(other.request, 2)).toBeDefined();
    place!.free();
    expect(places.take(other.request, 8)).toBeDefined();
  });

  it("are bounded by the connections whose requests wait, too: others want some as well", () => {
    const places = new WaitSlots(100, 2);
    const first = places.take(connection().request)!;
    expect(places.take(connection().request, 5)).toBeDefined();
    expect(places.take(connection().request)).toBeUndefined();
    first.free();
    expect(places.take(connection().request)).toBeDefined();
  });

  it("say when their client has gone away, and listen for it as long as they wait", () => {
    const places = new WaitSlots();
    const { socket, request } = connection();
    const freed = places.take(request)!;
    freed.free();
    const gone = places.take(request)!;
    expect(socket.listenerCount("close")).toBe(1);
    socket.emit("close");
    expect([gone.signal.aborted, freed.signal.aborted]).toEqual([true, false]);
    gone.free();
    expect(socket.listenerCount("close")).toBe(0);
  });
});
