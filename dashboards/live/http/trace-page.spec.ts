import { createHash } from "node:crypto";

import { afterEach, describe, expect, it } from "vitest";

import { closeApps, startApp } from "../testing/started-app.js";

const TOKEN = "a-long-enough-token";

afterEach(closeApps);

describe("a trace", () => {
  it("is a page with its own style and nothing else, in which everything is escaped", async () => {
    const { ask, traced } = await startApp();
    const { status, headers, body } = await ask("GET", "/trace/a%2Fb/%3Cscript%3E");
    expect(traced).toEqual([["a/b", "<script>"]]);
    expect(status).toBe(404);
    expect(body).toContain("<h1>Transaction &lt;script&gt;</h1><p>There is no trace: no transaction &lt;b&gt;</p>");
    const style = /<style>([^<]*)</.exec(body)![1]!;
    expect(headers["content-security-policy"]).toBe(
      `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  it("is made for nobody else", async () => {
    const open = await startApp();
    expect((await open.ask("GET", "/trace/a/t", { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
    const closed = await startApp({ token: TOKEN });
    expect((await closed.ask("GET", "/trace/a/t")).status).toBe(401);
    expect([...open.traced, ...closed.traced]).toEqual([]);
  });

  it("is limited in number", async () => {
    const { ask, traced } = await startApp();
    let status = 0;
    for (let n = 0; n < 21; n++) ({ status } = await ask("GET", "/trace/a/t"));
    expect([status, traced.length]).toEqual([429, 20]);
  });
});
