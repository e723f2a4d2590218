import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { intakeHeaders } from "../ingress-generator/intake-token.js";
import { headersOf } from "../loadtest/k6/plan.ts";
import { startModule } from "../process/run-command.js";

describe("the intake's token", () => {
  it("is a different one for labels, and neither is sent with what needs the other", () => {
    const env = { INTAKE_TOKEN: "a-long-enough-token", INTAKE_LABEL_TOKEN: "the-token-for-labels" };
    for (const headers of [intakeHeaders(env, "labels"), headersOf(env, "labels")])
      expect(headers).toMatchObject({ authorization: "Bearer the-token-for-labels" });
    for (const headers of [intakeHeaders(env), headersOf(env)])
      expect(headers).toMatchObject({ authorization: "Bearer a-long-enough-token" });
    expect(intakeHeaders({ INTAKE_TOKEN: "a-long-enough-token" }, "labels")).toEqual({});
  });

  it.each([
    [{ INTAKE_TOKEN: "a-long-enough-token" }, { authorization: "Bearer a-long-enough-token" }],
    [{ INTAKE_TOKEN: "" }, {}],
    [{ INTAKE_TOKEN: " " }, {}],
    [{}, {}],
  ])("of the environment %j is sent, by k6 too", (env, headers) => {
    expect(intakeHeaders(env)).toEqual(headers);
    expect(headersOf(env)).toEqual({ "content-type": "application/json", ...headers });
  });

  it("is sent by the benchmark's client", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      request.resume().on("end", () => response.writeHead(202).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = startModule("bench/intake/client.ts", {
      BENCH_CLIENT: "http-100",
      BENCH_COUNT: "1",
      INTAKE: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      INTAKE_TOKEN: "a-long-enough-token",
    });
    client.stdout.resume();
    const code = await new Promise((resolve) => client.once("close", resolve));
    server.close();
    expect([code, seen]).toEqual([0, ["Bearer a-long-enough-token"]]);
  });
});
