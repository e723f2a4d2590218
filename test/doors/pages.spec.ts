import { afterEach, describe, expect, it } from "vitest";

import { closeDoors, type Door, DOORS, functionServer, loadDoor, SECRET, TOKEN } from "./doors.js";

afterEach(closeDoors);

/** What a browser sends when a link, a form or a frame leads to a document. */
const NAVIGATION = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

describe.each([
  ...Object.entries(DOORS),
  ["the function server", functionServer] as const,
  ["the judge of a load", loadDoor] as const,
])("a page in a browser, before %s", (name, start) => {
  it.each([
    "localhost.:{port}",
    "localhost:{port}.",
    "u@localhost:{port}",
    "localhost:{port}@evil.example",
    "localhost:{port}.evil.example",
    "evil.example#localhost:{port}",
    "evil.example/localhost:{port}",
    "evil.example, localhost:{port}",
    "localhost:{port}:{port}",
    "localhost:0{port}",
    "localhost:1",
    "2130706433:{port}",
    "0177.0.0.1:{port}",
    "0x7f.1:{port}",
    "127.1:{port}",
    "127.0.0.1.:{port}",
    "127.0.0.2:{port}",
    "[::1%25lo]:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "[::]:{port}",
    "0.0.0.0:{port}",
    "http://localhost:{port}",
    ":{port}",
  ])("gets nothing by the name %s", async (host) => {
    await getsNothing(await start(), ["GET", "POST"], { host }, 421);
  });

  it.each([
    ["two origins", { origin: "http://localhost:{port}, http://evil.example" }],
    ["an origin with our name for a user", { origin: "http://localhost:{port}@evil.example" }],
    ["an origin with our name behind it", { origin: "http://evil.example#localhost:{port}" }],
    ["an origin that begins like ours", { origin: "http://localhost:{port}.evil.example" }],
    ["an origin with a dot at its end", { origin: "http://localhost.:{port}" }],
    ["an origin that is another of our names", { origin: "http://127.0.0.1:{port}" }],
    ["an empty origin", { origin: "" }],
    ["a file", { origin: "file://" }],
    ["an extension", { origin: "chrome-extension://localhost:{port}" }],
    ["several sites, ours first", { "sec-fetch-site": "same-origin, cross-site" }],
    ["a site in upper case", { "sec-fetch-site": "CROSS-SITE" }],
    ["an empty site", { "sec-fetch-site": "" }],
    ["our own origin, from elsewhere", { origin: "http://localhost:{port}", "sec-fetch-site": "cross-site" }],
    ["a form in a new window", { ...NAVIGATION, origin: "http://evil.example" }],
    ["a frame around it", { ...NAVIGATION, "sec-fetch-dest": "iframe" }],
  ] as const)("gets nothing by %s", async (_what, page) => {
    await getsNothing(await start(), ["GET", "POST"], page, 403);
  });

  it.skipIf(name === "the intake").each([
    ["ours first", ["localhost:{port}", "evil.example"]],
    ["ours last", ["evil.example", "localhost:{port}"]],
    ["ours twice", ["localhost:{port}", "localhost:{port}"]],
    ["one without a name", ["localhost:{port}", ""]],
  ])("gets nothing by two names, %s", async (_what, host) => {
    await getsNothing(await start(), ["GET", "POST"], { host }, 400);
  });

  it.skipIf(name === "the intake")("gets nothing by a whole URL of another server", async () => {
    const door = await start();
    for (const before of ["http://evil.example", "http://localhost:1", "https://evil.example", "http://u@{at}"])
      await getsNothing(
        { ...door, routes: door.routes.map((route) => ({ ...route, path: before + route.path })) },
        ["GET", "POST"],
        {},
        421,
      );
  });

  it.each([
    ["a foreign name", { host: "evil.example" }, 421],
    ["a foreign name at the same port", { host: "evil.example:{port}" }, 421],
    ["a form of another origin", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }, 403],
    ["another port of this machine", { origin: "http://localhost:1", "sec-fetch-site": "same-site" }, 403],
    ["a frame without an origin", { origin: "null" }, 403],
    ["an image", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
  ] as const)("gets nothing by %s, whatever it knows", async (_what, page, status) => {
    await getsNothing(await start(), ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"], page, status);
  });
});

/** Asks for every route as a page would, with the right token. */
async function getsNothing(
  door: Door,
  methods: readonly string[],
  page: Readonly<Record<string, string | readonly string[]>>,
  status: number,
): Promise<void> {
  const before = door.effects().length;
  const headers = { ...door.headers, ...page, authorization: `Bearer ${TOKEN}` };
  for (const { path } of door.routes)
    for (const method of methods) {
      const answer = await door.ask(method, path, headers, door.body);
      expect(answer.status, `${method} ${path}`).toBe(status);
      expect(answer.body).not.toContain(SECRET);
      expect(Object.keys(answer.headers).filter((header) => header.startsWith("access-control-"))).toEqual([]);
    }
  expect(door.effects()).toHaveLength(before);
}
