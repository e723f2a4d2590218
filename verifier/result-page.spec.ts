import { describe, expect, it } from "vitest";

import { propertiesSection } from "./result-page.js";

const EVIL = '<script>alert("1")</script>&\'';
const ESCAPED = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";

describe("a verification's page", () => {
  it("shows every violation with its records", () => {
    const { text } = propertiesSection([
      {
        name: "missing",
        claim: "claim",
        checked: 3,
        violations: 1,
        examples: [{ what: EVIL, records: ["decisions 0@1"] }],
      },
    ]);
    for (const part of [ESCAPED, "decisions 0@1", "✘", "Violations of missing"]) expect(text).toContain(part);
  });
});
