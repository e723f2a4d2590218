import { describe, expect, it } from "vitest";

import { SseHub, type StreamClient } from "./sse-hub.js";

class Client implements StreamClient {
  readonly chunks: Buffer[] = [];
  buffered = 0;
  dropped = false;
  bufferedBytes = (): number => this.buffered;
  write = (bytes: Buffer): void => void this.chunks.push(bytes);
  drop = (): void => void (this.dropped = true);
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
  }
}

const hubWith = (options: Partial<ConstructorParameters<typeof SseHub>[0]> = {}) =>
  new SseHub({ bootId: "b1", kept: 5, maxBufferedBytes: 1_000, ...options });

describe("SseHub", () => {
  it("makes a frame once for everybody", () => {
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
