import { type AddressInfo, connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { intakeMetrics } from "../metrics.js";
import { hostileBodies } from "./testing/hostile-bodies.js";
import { conforms, door, gauges, open, post, transaction, useDoor } from "./testing/test-door.js";

useDoor();

describe("however much is asked of it, the door", () => {
  it("works on one request of a connection at a time", async () => {
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const waits: string[] = [];
    let [now, most] = [0, 0];
    const wait = door.index.wait.bind(door.index);
    door.index.wait = async (account, id, what) => {
      waits.push(id);
      most = Math.max(most, ++now);
      try {
        return await wait(account, id, what);
      } finally {
        now--;
      }
    };
    const socket = connect((door.app.server.address() as AddressInfo).port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    for (const id of ["one", "two", "three"])
      socket.write(`GET /v1/accounts/a/decisions/${id}?wait=100ms HTTP/1.1\r\nHost: fraud.example\r\n\r\n`);
    await expect.poll(() => text.split("HTTP/1.1 404").length - 1, { timeout: 60_000 }).toBe(3);
    expect([waits, most]).toEqual([["one", "two", "three"], 1]);
    socket.destroy();
  });

  it("does not wait on behalf of a client that has gone away", async () => {
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const signals: (AbortSignal | undefined)[] = [];
    const wait = door.index.wait.bind(door.index);
    door.index.wait = (account, id, what) => {
      signals.push(what.gone);
      return wait(account, id, what);
    };
    const socket = connect((door.app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write("GET /v1/accounts/a/decisions/none?wait=30s HTTP/1.1\r\nHost: fraud.example\r\n\r\n");
    await expect.poll(() => signals.length, { timeout: 60_000 }).toBe(1);
    socket.destroy();
    await expect.poll(() => signals[0]?.aborted, { timeout: 60_000 }).toBe(true);
  });

  it("still accepts when too many wait, and says so at once", async () => {
    const items = JSON.stringify(Array.from({ length: 1_000 }, (_, n) => ({ ...transaction, transactionId: `t${n}` })));
    const waiting = Array.from({ length: 20 }, () => post(items, { query: "?wait=30s" }));
    await expect.poll(() => door.written.length, { timeout: 60_000 }).toBe(20_000);
    const { response, body } = await post({ ...transaction, transactionId: "one-more" }, { query: "?wait=30s" });
    expect([response.statusCode, body]).toEqual([202, { accountId: "a", id: "one-more", status: "accepted" }]);
    const asked = await door.app.inject("/v1/accounts/a/decisions/none?wait=30s");
    conforms("/v1/accounts/{account}/decisions/{transaction}", "get", asked);
    expect([asked.statusCode, asked.headers["retry-after"]]).toEqual([429, "1"]);
    door.index.stop();
    for (const one of await Promise.all(waiting)) expect(one.response.statusCode).toBe(202);
  });

  it.each(hostileBodies().map((body) => [body.name, body] as const))(
    "answers %s within bounds, plain and compressed, and logs nothing",
    async (_, body) => {
      const type = body.lines ? "application/x-ndjson" : "application/json";
      for (const [payload, coding] of [
        [body.bytes, undefined],
        [gzipSync(body.bytes, { level: 1 }), "gzip"],
      ] as const) {
        const { response } = await post(payload, { type, coding });
        expect(response.statusCode).toBe(body.status);
        expect(response.rawPayload.length).toBeLessThan(2 * body.bytes.length);
      }
    },
  );

  it("counts connections that are too many", async () => {
    await door.app.close();
    const { metrics, registry } = intakeMetrics(gauges);
    door.app = open(undefined, metrics, 1);
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = door.app.server.address() as AddressInfo;
    const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await expect.poll(() => registry.getSingleMetricAsString("intake_dropped_connections_total")).toMatch(/_total 1$/);
    for (const socket of sockets) socket.destroy();
  });

  it("lets others in while all who may wait do, and takes their bodies' room for nobody who waits", async () => {
    await door.app.close();
    door.app = open(undefined, intakeMetrics(gauges).metrics, 8, 40_000);
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = door.app.server.address() as AddressInfo;
    const head = "host: fraud.example\r\ncontent-type: application/json";
    const waiting: Socket[] = [];
    let answers = 0;
    for (let n = 0; n < 12; n++) {
      const socket = connect(port, "127.0.0.1").on("data", () => answers++);
      waiting.push(socket.on("error", () => undefined));
      const body = JSON.stringify({ ...transaction, transactionId: `t${n}` }).padEnd(30_000);
      socket.write(
        `POST /v1/transactions?wait=30s HTTP/1.1\r\n${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await expect.poll(() => door.written.length, { timeout: 60_000 }).toBe(n + 1);
    }
    // Six of eight connections wait, and each of the others made room for the next.
    await expect.poll(() => answers, { timeout: 60_000 }).toBe(6);
    const response = await fetch(`http://127.0.0.1:${port}/v1/transactions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(transaction).padEnd(30_000),
    });
    expect(response.status).toBe(202);
    for (const socket of waiting) socket.destroy();
  });

  it("gives up the largest body that is still arriving when there is no room for more", async () => {
    await door.app.close();
    const { metrics, registry } = intakeMetrics(gauges);
    door.app = open(undefined, metrics, 10, 50_000);
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = door.app.server.address() as AddressInfo;
    let text = "";
    const slow = connect(port, "127.0.0.1").on("data", (chunk: Buffer) => (text += chunk.toString()));
    slow.on("error", () => undefined);
    slow.write(
      `POST /v1/transactions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
    );
    slow.write(Buffer.alloc(49_900, " "));
    // The bytes are on their way: the next request comes when they are there, and others until then.
    await expect
      .poll(
        async () => {
          const response = await fetch(`http://127.0.0.1:${port}/v1/transactions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(transaction),
          });
          expect(response.status).toBe(202);
          return text;
        },
        { timeout: 20_000 },
      )
      .toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1[^]*send it again/i);
    expect(await registry.getSingleMetricAsString("intake_turned_away_total")).toMatch(/reason="bodies"\} 1/);
    slow.destroy();
  });
});
