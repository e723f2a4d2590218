import { describe, expect, it } from "vitest";

import { SseHub, type StreamClient } from "./sse-hub.js";

class Client implements StreamClient {
  readonly chunks: Buffer[] = [];
  buffered = 0;
  dropped = false;
  taken: (() => void)[] = [];
  /** Whether it leaves what is written where it is. */
  slow = false;
  bufferedBytes = (): number => this.buffered;
  write = (bytes: Buffer): void => {
    this.chunks.push(bytes);
    if (this.slow) this.buffered += bytes.length;
  };
  onceTaken = (then: () => void): void => void this.taken.push(then);
  take(): void {
    this.buffered = 0;
    for (const then of this.taken.splice(0)) then();
  }
  drop = (): void => void (this.dropped = true);
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
  }
}

const hubWith = (options: Partial<ConstructorParameters<typeof SseHub>[0]> = {}) =>
  new SseHub({ bootId: "b1", kept: 5, maxKeptBytes: 1_000_000, maxBufferedBytes: 1_000, ...options });

describe("SseHub", () => {
  it("makes a frame once for all clients", () => {
    const hub = hubWith();
    const clients = [new Client(), new Client()];
    for (const client of clients) hub.connect(client, hub.position);
    hub.publish("delta", { a: "line\nbreak" });
    expect(clients[0]!.chunks.at(-1)).toBe(clients[1]!.chunks.at(-1));
    expect(clients[0]!.text).toContain('id: b1.1\nevent: delta\ndata: {"a":"line\\nbreak"}\n\n');
  });

  it("goes on where a client stopped, without a gap or a repetition", () => {
    const hub = hubWith();
    for (let n = 0; n < 4; n++) hub.publish("e", n);
    const client = new Client();
    hub.connect(client, "b1.2");
    hub.publish("e", 4);
    expect(client.ids).toEqual(["b1.3", "b1.4", "b1.5"]);
  });

  it.each([
    ["too old a position", "b1.3"],
    ["one of another server", "b0.9"],
    ["one that never was", "b1.99"],
    ["none", undefined],
    ["nonsense", "b1.x'"],
  ])("tells a client to begin anew after %s", (_, position) => {
    const hub = hubWith();
    for (let n = 0; n < 10; n++) hub.publish("e", n);
    const client = new Client();
    hub.connect(client, position);
    expect(client.text).toContain("event: reset");
    expect(client.ids).toEqual(["b1.10"]);
  });

  it("resumes at either end of what it keeps", () => {
    const hub = hubWith();
    for (let n = 0; n < 10; n++) hub.publish("e", n);
    const [oldest, newest] = [new Client(), new Client()];
    hub.connect(oldest, "b1.5");
    hub.connect(newest, "b1.10");
    expect(oldest.ids).toHaveLength(5);
    expect(newest.ids).toEqual([]);
  });

  it("replays to a slow client what it takes, without a copy; then it goes on like all others", () => {
    const hub = hubWith({ kept: 100, maxKeptBytes: 10_000_000 });
    const quick = new Client();
    hub.connect(quick, hub.position);
    for (let n = 0; n < 50; n++) hub.publish("e", "x".repeat(10_000));
    const client = Object.assign(new Client(), { slow: true });
    hub.connect(client, "b1.0");
    expect(client.buffered).toBeLessThan(80_000);
    expect(quick.chunks).toContain(client.chunks.at(-1));
    hub.publish("e", "while it catches up");
    hub.heartbeat();
    expect(hub.size).toBe(2);
    for (let n = 0; n < 20; n++) {
      expect(client.buffered).toBeLessThan(80_000);
      client.take();
    }
    hub.publish("e", "afterwards");
    expect(client.ids).toEqual(Array.from({ length: 52 }, (_, n) => `b1.${n + 1}`));
    expect([client.dropped, hub.size]).toEqual([false, 2]);
  });

  it("drops a client that catches up more slowly than what it needs is forgotten", () => {
    const hub = hubWith({ kept: 10 });
    for (let n = 0; n < 10; n++) hub.publish("e", "x".repeat(10_000));
    const client = Object.assign(new Client(), { slow: true });
    const leave = hub.connect(client, "b1.0");
    for (let n = 0; n < 10; n++) hub.publish("e", n);
    expect([client.dropped, hub.size, hub.dropped]).toEqual([true, 0, 1]);
    client.take();
    leave();
    expect(hub.size).toBe(0);
  });

  it("keeps no more bytes than it may", () => {
    const hub = hubWith({ kept: 1_000, maxKeptBytes: 100_000 });
    for (let n = 0; n < 50; n++) hub.publish("e", "x".repeat(10_000));
    const [old, recent] = [new Client(), new Client()];
    hub.connect(old, "b1.10");
    hub.connect(recent, "b1.45");
    expect(old.text).toContain("event: reset");
    expect(recent.ids).toHaveLength(5);
    hub.publish("e", "x".repeat(1_000_000));
    expect(recent.ids).toHaveLength(6);
  });

  it("drops a client that does not take what it gets, and nobody else", () => {
    const hub = hubWith();
    const [slow, quick] = [new Client(), new Client()];
    hub.connect(slow, hub.position);
    const leave = hub.connect(quick, hub.position);
    slow.buffered = 1_001;
    hub.publish("e", 1);
    expect([slow.dropped, quick.dropped, hub.size, hub.dropped]).toEqual([true, false, 1, 1]);
    expect(slow.ids).toEqual([]);
    leave();
    expect(hub.size).toBe(0);
  });
});
