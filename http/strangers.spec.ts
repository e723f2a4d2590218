import { describe, expect, it } from "vitest";

import { type Asked, hostList, type OwnNames, stranger } from "./strangers.js";

const NAMES: OwnNames = { hosts: hostList(" Intake:8080, fraud.example,, "), variable: "INTAKE_HOSTS" };

const asked = (
  headers: Readonly<Record<string, string>>,
  { url = "/", method = "GET", localAddress = "172.18.0.5", localPort = 8080 } = {},
): Asked => ({
  headers,
  rawHeaders: Object.entries(headers).flat(),
  url,
  method,
  socket: { localAddress, localPort },
});
const statusOf = (request: Asked, options?: Parameters<typeof stranger>[2]): number | undefined =>
  stranger(request, NAMES, options)?.status;

describe("the name that is asked for", () => {
  it.each([
    "127.0.0.1:8080",
    "LocalHost:8080",
    "[::1]:8080",
    "172.18.0.5:8080",
    "intake:8080",
    "INTAKE:8080",
    "fraud.example",
  ])("may be %s", (host) => {
    expect(statusOf(asked({ host }))).toBeUndefined();
  });

  it.each([
    "evil.example",
    "evil.example:8080",
    "localhost",
    "localhost.:8080",
    "127.0.0.1:8081",
    "172.18.0.6:8080",
    "intake",
    "intake:80",
    "user@localhost:8080",
    "localhost:8080.evil.example",
    "",
  ])("may not be %j", (host) => {
    expect(statusOf(asked({ host }))).toBe(421);
  });

  it("is absent from anything but a browser", () => {
    expect(statusOf(asked({}))).toBeUndefined();
  });

  it.each([
    [["Host", "localhost:8080", "host", "evil.example"]],
    [["HOST", "evil.example", "accept", "*/*", "Host", "localhost:8080"]],
    [["host", "localhost:8080", "host", "localhost:8080"]],
    [["host", "localhost:8080", "Host", ""]],
  ])("is one: %j is refused", (rawHeaders) => {
    for (const page of [{}, { "sec-fetch-site": "cross-site" }])
      expect(stranger({ ...asked({ host: rawHeaders[1]!, ...page }), rawHeaders }, NAMES)).toMatchObject({
        status: 400,
        kind: "two names",
      });
  });

  it("is not what another header, or the value of one, is called", () => {
    const rawHeaders = ["Host", "localhost:8080", "x-host", "host", "hosts", "Host", "cookie", "host"];
    expect(stranger({ ...asked({ host: "localhost:8080" }), rawHeaders }, NAMES)).toBeUndefined();
  });

  it.each([
    ["http://localhost:8080/x", undefined],
    ["HTTP://fraud.example/x", undefined],
    ["/http://evil.example/", undefined],
    ["http://evil.example/x", 421],
    ["http://evil.example\\@localhost:8080/x", 421],
    ["https://localhost:8080@evil.example", 421],
    ["http:///x", 421],
  ])("is that of the target, where the target is a whole URL: %s", (url, status) => {
    expect(statusOf(asked({ host: "localhost:8080" }, { url }))).toBe(status);
  });

  it("needs no port on HTTP's default port", () => {
    const at80 = (host: string) => statusOf(asked({ host }, { localPort: 80 }));
    expect(["localhost", "localhost:80", "172.18.0.5", "evil"].map(at80)).toEqual([
      undefined,
      undefined,
      undefined,
      421,
    ]);
  });

  it("may be an IPv6 address, or an IPv4 address that came over IPv6", () => {
    expect(statusOf(asked({ host: "[fd00::5]:8080" }, { localAddress: "fd00::5" }))).toBeUndefined();
    expect(statusOf(asked({ host: "10.0.0.5:8080" }, { localAddress: "::ffff:10.0.0.5" }))).toBeUndefined();
  });

  it("is reported when it is unknown, with what to set", () => {
    expect(stranger(asked({ host: "evil.example" }), NAMES)?.detail).toContain(
      "INTAKE_HOSTS=intake:8080,fraud.example,evil.example,",
    );
    expect(stranger(asked({ host: "x".repeat(9_000) }), NAMES)!.detail.length).toBeLessThan(1_000);
  });
});

describe("the page that asks", () => {
  const host = "localhost:8080";

  it.each([
    [{}],
    [{ "sec-fetch-site": "same-origin" }],
    [{ "sec-fetch-site": "none" }],
    [{ origin: "http://localhost:8080", "sec-fetch-site": "same-origin" }],
    [{ origin: "https://fraud.example" }],
    // What Node's own fetch sends.
    [{ "sec-fetch-mode": "cors" }],
  ])("may be one with %j", (headers) => {
    expect(statusOf(asked({ host, ...headers }))).toBeUndefined();
  });

  it.each([
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ "sec-fetch-site": "anything" }],
    [{ origin: "http://evil.example" }],
    [{ origin: "http://localhost:8081" }],
    [{ origin: "http://localhost" }],
    [{ origin: "null" }],
    [{ origin: "" }],
    [{ origin: "chrome-extension://localhost:8080" }],
    [{ origin: "http://evil.example", "sec-fetch-site": "same-origin" }],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }],
  ])("may not be one with %j", (headers) => {
    expect(statusOf(asked({ host, ...headers }))).toBe(403);
  });

  it("may send people to a document, where navigation is allowed", () => {
    const to = (headers: Readonly<Record<string, string>>, method = "GET") =>
      statusOf(asked({ host, "sec-fetch-site": "cross-site", ...headers }, { method }), { navigation: true });
    const link = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect(to(link)).toBeUndefined();
    expect(to(link, "POST")).toBe(403);
    expect(to({ ...link, origin: "null" })).toBe(403);
    expect(to({ ...link, "sec-fetch-dest": "iframe" })).toBe(403);
    expect(to({ "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" })).toBe(403);
    expect(to({ ...link, host: "evil.example" })).toBe(421);
  });
});
