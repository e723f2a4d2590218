import { describe, expect, it } from "vitest";

import { html, table } from "./html.js";
import { timeline } from "./timeline.js";

const EVIL = '<script>alert("1")</script>&\'';
const ESCAPED = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";

describe("a report's page", () => {
  it("escapes whatever came from elsewhere, and nothing twice", () => {
    expect(html`<p title="${EVIL}">${html`<b>${EVIL}</b>`}</p>`.text).toBe(
      `<p title="${ESCAPED}"><b>${ESCAPED}</b></p>`,
    );
    expect(table(["a", "#b"], [[EVIL, 1]]).text).toBe(
      `<table><thead><tr><th class="">a</th><th class="n">b</th></tr></thead><tbody><tr><td class="">${ESCAPED}</td><td class="n">1</td></tr></tbody></table>`,
    );
    expect(
      timeline([{ title: EVIL, unit: "", values: [1, undefined, 2] }], [{ at: 0, until: 1, label: EVIL }]).text,
    ).not.toContain("<script");
  });
});
