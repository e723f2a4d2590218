import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { PROBLEM_TYPE, problemDetails, refuse } from "./problem-details.js";

describe("a problem", () => {
  it("has no type of its own, and the title of its status, as RFC 9457 asks for then", () => {
    expect(problemDetails(429, "too many: wait")).toEqual({
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "too many: wait",
    });
  });

  it("is what a request is refused with", async () => {
    const server = createServer((_, response) => refuse(response, 403, "nicht für Sie"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([403, `${PROBLEM_TYPE}; charset=utf-8`]);
      expect(await answer.json()).toEqual(problemDetails(403, "nicht für Sie"));
    } finally {
      server.close();
    }
  });
});
