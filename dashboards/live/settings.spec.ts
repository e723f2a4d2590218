import { describe, expect, it } from "vitest";

import { dashboardSettings } from "./settings.js";

describe("the web app's settings", () => {
  it("have a failure menu only with a helper's address; an empty one counts as none", () => {
    expect(dashboardSettings({}).failures).toBeUndefined();
    expect(dashboardSettings({ DASHBOARD_FAILURES: "", DASHBOARD_FAILURES_TOKEN: "" }).failures).toBeUndefined();
    expect(
      dashboardSettings({ DASHBOARD_FAILURES: "http://failures:8091/", DASHBOARD_FAILURES_TOKEN: "t" }).failures,
    ).toEqual({ url: "http://failures:8091", token: "t" });
    expect(() => dashboardSettings({ DASHBOARD_FAILURES: "failures" })).toThrow(/DASHBOARD_FAILURES/);
  });

  it("refuse to listen where others reach it, unless a token or the one who starts it says so", () => {
    expect(() => dashboardSettings({ HOST: "0.0.0.0" })).toThrow(
      /set DASHBOARD_USERS or DASHBOARD_TOKEN, or DASHBOARD_ALLOW_OPEN=yes/,
    );
    expect(
      dashboardSettings({
        HOST: "0.0.0.0",
        DASHBOARD_ALLOW_OPEN: "yes",
        DASHBOARD_HOSTS: "127.0.0.1:18090,localhost:18090",
      }).names.hosts,
    ).toEqual(["127.0.0.1:18090", "localhost:18090"]);
    const users = { DASHBOARD_USERS: "Ada Lovelace:the-token-of-ada" };
    expect(dashboardSettings({ HOST: "0.0.0.0", ...users }).people).toEqual([
      { name: "Ada Lovelace", token: "the-token-of-ada" },
    ]);
    expect(() => dashboardSettings({ ...users, DASHBOARD_TOKEN: "a-shared-long-token" })).toThrow(/are both set/);
  });
});
