import { describe, expect, it } from "vitest";

import { boundedError, errorText, shown } from "./shown.js";

describe("text that came from elsewhere", () => {
  it("is shown as it is where it is visible", () => {
    expect(shown("fraud/account-counter é 😀")).toBe("fraud/account-counter é 😀");
  });

  it("has invisible characters written out", () => {
    expect(shown("ada\u3164\u034f\u2800")).toBe("ada\\u{3164}\\u{34f}\\u{2800}");
    expect(shown("\u001b[2J\u009b\u202e\u200b\u2028\ud800")).toBe(
      "\\u{1b}[2J\\u{9b}\\u{202e}\\u{200b}\\u{2028}\\u{d800}",
    );
  });

  it("is cut", () => {
    expect(shown("x".repeat(8_000_000))).toBe(`${"x".repeat(200)}… (of 8000000 characters)`);
    expect(errorText(new Error("x".repeat(8_000_000))).length).toBeLessThan(3_000);
  });

  it("leaves a short error alone, and bounds one that is long or has a long cause", () => {
    const short = new Error("short", { cause: new Error("why") });
    expect(boundedError(short)).toBe(short);
    const long = boundedError(new TypeError("short", { cause: new Error("x".repeat(8_000_000)) })) as Error & {
      readonly cause: Error;
    };
    expect([long.name, long.message]).toEqual(["TypeError", "short"]);
    expect(long.cause.message.length + (long.cause.stack?.length ?? 0) + (long.stack?.length ?? 0)).toBeLessThan(
      20_000,
    );
  });
});
