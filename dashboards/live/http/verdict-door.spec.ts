import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { afterEach, describe, expect, it } from "vitest";

import { OWN, VERDICT } from "../testing/own-actions.js";
import { closeApps, startApp } from "../testing/started-app.js";

afterEach(closeApps);

describe("a verdict", () => {
  it("becomes a label of the next revision, effective at the account's newest time", async () => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers: OWN, body: VERDICT })).status).toBe(202);
    expect(
      (await ask("POST", "/api/verdicts", { headers: OWN, body: { ...VERDICT, verdict: "LEGITIMATE", note: "" } }))
        .status,
    ).toBe(202);
    expect(asked).toEqual([
      {
        path: "/v1/labels",
        authorization: "Bearer for-the-intake",
        body: {
          labelId: "label-1",
          accountId: "a",
          transactionId: "t1",
          merchantId: "m1",
          verdict: "FRAUD",
          revision: 1,
          eventTimeMs: 1_767_225_600_000,
          effectiveAtMs: 1_767_225_700_000,
          analyst: "ada",
          note: "two lines",
        },
      },
      {
        path: "/v1/labels",
        authorization: "Bearer for-the-intake",
        body: expect.objectContaining({ revision: 2, verdict: "LEGITIMATE" }) as unknown,
      },
    ]);
    expect(asked[1]!.body).not.toHaveProperty("note");
  });

  it.each([
    ["another site's form", { "content-type": "application/x-www-form-urlencoded", "x-dashboard-action": "1" }],
    ["a text that looks like JSON", { "content-type": "text/plain", "x-dashboard-action": "1" }],
    ["no header of the app's own", { "content-type": "application/json" }],
    ["another site", { ...OWN, "sec-fetch-site": "cross-site" }],
    ["another port of this machine", { ...OWN, "sec-fetch-site": "same-site" }],
    ["another origin", { ...OWN, origin: "http://evil.example" }],
    ["no origin at all", { ...OWN, origin: "null" }],
  ])("is refused from %s", async (_, headers) => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers, body: VERDICT })).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it("may come through a proxy that asks under another name", async () => {
    const { ask, asked } = await startApp();
    expect(
      (await ask("POST", "/api/verdicts", { headers: { ...OWN, origin: "https://evil.example" }, body: VERDICT }))
        .status,
    ).toBe(403);
    expect(
      (await ask("POST", "/api/verdicts", { headers: { ...OWN, origin: "http://fraud.example:443" }, body: VERDICT }))
        .status,
    ).toBe(202);
    expect(asked).toHaveLength(1);
  });

  it("may be compressed, within the bounds of a plain one", async () => {
    const { send } = await startApp();
    const text = JSON.stringify(VERDICT);
    for (const [coding, bytes] of [
      ["gzip", gzipSync(text)],
      ["GZIP", gzipSync(text)],
      ["br", brotliCompressSync(text)],
      ["deflate", deflateSync(text)],
      ["identity", Buffer.from(text)],
    ] as const) {
      expect((await send("POST", "/api/verdicts", { ...OWN, "content-encoding": coding }, bytes)).status, coding).toBe(
        202,
      );
    }
    for (const [status, coding, bytes] of [
      [415, "zstd", text],
      [415, "gzip, gzip", text],
      [400, "gzip", text],
      [400, "gzip", gzipSync(text).subarray(0, 20)],
      [413, "gzip", gzipSync(text.padEnd(20_000_000))],
    ] as const) {
      const answer = await send("POST", "/api/verdicts", { ...OWN, "content-encoding": coding }, Buffer.from(bytes));
      expect(
        [answer.status, answer.headers["content-type"], answer.headers["accept-encoding"]],
        `${coding} ${status}`,
      ).toEqual([
        status,
        "application/problem+json; charset=utf-8",
        status === 415 ? "gzip, deflate, br, identity" : undefined,
      ]);
    }
  });

  it.each([
    ["a key twice", '{"verdict":"FRAUD",', "verdict stands twice"],
    ["a key twice, escaped", '{"\\u0076erdict":"FRAUD",', "verdict stands twice"],
    ["half a body", "{,", "not JSON"],
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff]), "not JSON in UTF-8"],
  ])("is refused with %s", async (_, begin, detail) => {
    const { send, asked } = await startApp();
    const answer = await send(
      "POST",
      "/api/verdicts",
      OWN,
      Buffer.concat([Buffer.from(begin), Buffer.from(JSON.stringify(VERDICT).slice(1))]),
    );
    expect([answer.status, (JSON.parse(answer.body) as { detail: string }).detail]).toEqual([
      400,
      expect.stringContaining(detail),
    ]);
    expect(asked).toEqual([]);
  });

  it.each([
    ["an unknown transaction", 404, { ...VERDICT, transactionId: "nope" }],
    ["no name", 400, { ...VERDICT, analyst: "  " }],
    ["too long a note", 400, { ...VERDICT, note: "n".repeat(1025) }],
    ["another verdict", 400, { ...VERDICT, verdict: "MAYBE" }],
    ["a field too many", 400, { ...VERDICT, revision: 9 }],
    ["no object", 400, 17],
    ["too much", 413, { ...VERDICT, note: "n".repeat(20_000) }],
  ])("is refused with %s", async (_, status, body) => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers: OWN, body })).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it("passes on what the intake has against it", async () => {
    const { ask, refuseLabels } = await startApp();
    refuseLabels();
    expect(await ask("POST", "/api/verdicts", { headers: OWN, body: VERDICT })).toMatchObject({
      status: 400,
      body: JSON.stringify({ type: "about:blank", title: "Bad Request", status: 400, detail: "says the intake" }),
    });
  });

  it("is limited in number", async () => {
    const { ask } = await startApp();
    const statuses: number[] = [];
    for (let n = 0; n < 121; n++)
      statuses.push((await ask("POST", "/api/verdicts", { headers: OWN, body: { ...VERDICT, verdict: "?" } })).status);
    expect([statuses[119], statuses[120]]).toEqual([400, 429]);
  });
});
