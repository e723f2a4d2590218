import { describe, expect, it } from "vitest";

import { traceCommand } from "./shell-word.js";

describe("traceCommand", () => {
  it.each([
    ["live-a1", "live-17", "npm run trace -- --account=live-a1 live-17"],
    ["ada", "$(rm -rf ~)", "npm run trace -- --account=ada '$(rm -rf ~)'"],
    ["a; b", "it's", `npm run trace -- --account='a; b' 'it'\\''s'`],
    ["ada", "--help", "npm run trace -- --account=ada -- '--help'"],
  ])("of %s, %s", (account, transactionId, command) => {
    expect(traceCommand(account, transactionId)).toBe(command);
  });
});
