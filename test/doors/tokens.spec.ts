import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { closeDoors, type Door, DOORS, SECRET, TOKEN } from "./doors.js";
import { knocking } from "./knocking.js";
import { HEALTH_AND_CLOSE, sendRaw, strangely } from "./strange-requests.js";

afterEach(closeDoors);

/** What open routes answer. */
async function openAnswers({ ask, routes, headers }: Door): Promise<Set<string>> {
  const bodies = new Set<string>();
  for (const { path } of routes.filter(({ open }) => open))
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await ask(method, path, headers, "");
      if (answer.status < 300) bodies.add(answer.body);
    }
  return bodies;
}

describe.each([
  ["the intake", 7_000],
  ["the intake, over a socket", 1_500],
  ["the web app", 1_500],
  ["the failure helper", 1_000],
] as const)("%s", (name, numRuns) => {
  it(`lets nobody in without the token, in ${numRuns} spellings`, async () => {
    const door = await DOORS[name]!();
    const opened = await openAnswers(door);
    await fc.assert(
      fc.asyncProperty(knocking(door.routes), async ({ method, target, authorization }) => {
        const headers = { ...door.headers, ...(authorization !== undefined && { authorization }) };
        const before = door.effects().length;
        const answer = await door.ask(method, target, headers, door.body);
        expect(door.effects().length, "an effect").toBe(before);
        expect(answer.body).not.toContain(SECRET);
        // What HEAD finds, GET shows.
        const shown = method === "HEAD" ? await door.ask("GET", target, headers, "") : answer;
        expect(shown.body).not.toContain(SECRET);
        if (answer.status < 300) expect([...opened, ""]).toContain(shown.body);
      }),
      { numRuns, seed: 19 },
    );
  });

  it("lets nobody in without the token by a request that clients of HTTP would not send", async () => {
    const door = await DOORS[name]!();
    if (door.port === undefined) return;
    const { port } = door;
    const headers = Object.entries(door.headers).map(([header, value]) => `${header}: ${value}`);
    const closed = door.routes.filter(({ open }) => !open);
    for (const route of ["GET", "POST"].map((method) => closed.find((one) => one.method === method)!))
      for (const [kind, text] of Object.entries(strangely(route, `localhost:${port}`, headers, door.body))) {
        const before = door.effects().length;
        const answer = await sendRaw(port, text + HEALTH_AND_CLOSE.replace("{at}", `localhost:${port}`));
        const what = `${kind}: ${route.method} ${route.path}: ${answer.slice(0, 2_000)}`;
        expect(door.effects().length, what).toBe(before);
        expect(answer, what).not.toContain(SECRET);
        const asksWhatIsOpen = text.match(/^GET \/healthz HTTP/gm)?.length ?? 0;
        expect([...answer.matchAll(/HTTP\/1\.\d 2\d\d /g)].length, what).toBeLessThanOrEqual(asksWhatIsOpen + 1);
      }
  });

  it("lets in a client with the token: the test sees what it would find", async () => {
    const door = await DOORS[name]!();
    const { method, path } = door.routes.find((route) => route.method === "POST")!;
    const headers = { ...door.headers, authorization: `Bearer ${TOKEN}` };
    expect((await door.ask(method, path, headers, door.body)).status).toBe(202);
    expect(door.effects()).toHaveLength(1);
    if (door.port === undefined) return;
    const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
    const { plain } = strangely({ method, path }, `localhost:${door.port}`, lines, door.body);
    const answer = await sendRaw(
      door.port,
      plain! + HEALTH_AND_CLOSE.replace("{at}", `localhost:${door.port}`),
      60_000,
    );
    expect(answer.match(/HTTP\/1\.\d \d+/g)).toEqual(["HTTP/1.1 202", "HTTP/1.1 200"]);
    expect(door.effects()).toHaveLength(2);
  });
});
