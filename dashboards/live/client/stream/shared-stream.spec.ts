import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Frame, Stream, StreamListener } from "./event-stream.js";
import { SharedStream } from "./shared-stream.js";

/** The server, with its connections. */
class Server {
  run = "a";
  number = 0;
  readonly connections: { readonly after: string; readonly listener: StreamListener; closed: boolean }[] = [];
  get position(): string {
    return `${this.run}.${this.number}`;
  }
  get open() {
    return this.connections.filter(({ closed }) => !closed);
  }
  readonly connect = (after: string, listener: StreamListener): Stream => {
    const connection = { after, listener, closed: false };
    this.connections.push(connection);
    return { close: () => void (connection.closed = true) };
  };
  send(name = "delta"): Frame {
    this.number++;
    const frame = { name, data: String(this.number), id: this.position };
    for (const { listener } of this.open) listener.frame(frame);
    return frame;
  }
}

class Page implements StreamListener {
  readonly got: string[] = [];
  open = () => void this.got.push("open");
  lost = (over: boolean) => void this.got.push(over ? "over" : "lost");
  frame = ({ name, id }: Frame) => void this.got.push(name === "reset" ? "reset" : id);
}

const started = () => {
  const server = new Server();
  return { server, shared: new SharedStream(server.connect) };
};

describe("a stream that pages share", () => {
  it("is one connection, however many follow it, and each gets every frame once", () => {
    const { server, shared } = started();
    const pages = Array.from({ length: 12 }, () => new Page());
    for (const page of pages) shared.join(page, "a.0");
    expect(server.connections).toHaveLength(1);
    server.open[0]!.listener.open();
    server.send();
    server.send("pulse");
    for (const { got } of pages) expect(got).toEqual(["open", "a.1", "a.2"]);
  });

  it("gives a page that comes later what it has missed since it was loaded, and nothing before", () => {
    const { server, shared } = started();
    shared.join(new Page(), "a.0");
    server.open[0]!.listener.open();
    for (let n = 0; n < 5; n++) server.send();
    const [late, ahead] = [new Page(), new Page()];
    shared.join(late, "a.3");
    // Loaded after a frame that is still on its way here.
    shared.join(ahead, "a.6");
    server.send();
    server.send();
    expect(late.got).toEqual(["open", "a.4", "a.5", "a.6", "a.7"]);
    expect(ahead.got).toEqual(["open", "a.7"]);
    expect(server.connections).toHaveLength(1);
  });

  it("tells a page to load anew when what it missed is gone", () => {
    const { server, shared } = started();
    const asleep = new Page();
    shared.join(new Page(), "a.0");
    for (let n = 0; n < 400; n++) server.send();
    shared.join(asleep, "a.50");
    expect(asleep.got).toEqual(["reset"]);
    const kept = new Page();
    shared.join(kept, "a.100");
    expect(kept.got).toHaveLength(300);
  });

  it("tells all pages of a reset, and begins from there", () => {
    const { server, shared } = started();
    const [page, next] = [new Page(), new Page()];
    shared.join(page, "a.0");
    server.send();
    server.run = "b";
    server.send("reset");
    shared.join(next, server.position);
    server.send();
    expect(page.got).toEqual(["a.1", "reset", "b.3"]);
    expect(next.got).toEqual(["b.3"]);
  });

  it("follows the server that a newly loaded page knows, and has the others load anew", () => {
    const { server, shared } = started();
    const [old, fresh] = [new Page(), new Page()];
    shared.join(old, "a.0");
    server.run = "b";
    shared.join(fresh, "b.7");
    expect(old.got).toEqual(["reset"]);
    expect(server.open.map(({ after }) => after)).toEqual(["b.7"]);
    shared.join(old, "b.7");
    server.number = 7;
    server.send();
    expect([old.got.at(-1), fresh.got]).toEqual(["b.8", ["b.8"]]);
  });

  it("ends with the last page, and begins again with the next", () => {
    const { server, shared } = started();
    const [one, other] = [new Page(), new Page()];
    shared.join(one, "a.0");
    shared.join(other, "a.0");
    shared.leave(one);
    expect(server.open).toHaveLength(1);
    shared.leave(other);
    shared.leave(other);
    expect(server.open).toHaveLength(0);
    shared.join(one, "a.9");
    expect(server.open.map(({ after }) => after)).toEqual(["a.9"]);
  });

  it("says when it is lost and when it is back, and lets all begin anew when it is refused", () => {
    const { server, shared } = started();
    const [page, late] = [new Page(), new Page()];
    shared.join(page, "a.0");
    const { listener } = server.open[0]!;
    listener.open();
    listener.lost(false);
    shared.join(late, "a.0");
    listener.open();
    listener.lost(true);
    expect([page.got, late.got]).toEqual([
      ["open", "lost", "open", "over"],
      ["open", "over"],
    ]);
    listener.open();
    expect(page.got).toHaveLength(4);
    shared.join(page, "a.0");
    expect(server.open).toHaveLength(1);
  });

  it("lets nobody miss anything, whoever comes and goes", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ kind: "send" as const }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("join" as const), behind: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(9) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { server, shared } = started();
        const pages = new Map<Page, number>();
        // A server has what was before a connection: it sends what comes after the position that it is asked for.
        const missed = (): void => {
          for (const connection of server.open) {
            const from = Number(connection.after.split(".")[1]);
            if (!seen.has(connection))
              for (let n = from + 1; n <= server.number; n++)
                connection.listener.frame({ name: "delta", data: "", id: `a.${n}` });
            seen.add(connection);
          }
        };
        const seen = new Set<unknown>();
        for (const one of steps) {
          if (one.kind === "send") server.send();
          else if (one.kind === "join") {
            const [page, from] = [new Page(), Math.max(0, server.number - one.behind)];
            shared.join(page, `a.${from}`);
            pages.set(page, from);
          } else {
            const page = [...pages.keys()][one.which];
            if (page !== undefined) {
              shared.leave(page);
              pages.delete(page);
            }
          }
          missed();
          expect(server.open.length).toBe(pages.size === 0 ? 0 : 1);
          for (const [{ got }, from] of pages) {
            // One that was loaded before the connection's beginning loads anew.
            if (got[0] === "reset") continue;
            expect(got).toEqual(Array.from({ length: server.number - from }, (_, n) => `a.${from + n + 1}`));
          }
        }
      }),
    );
  });
});
