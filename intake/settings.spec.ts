import { describe, expect, it } from "vitest";

import { intakeSettings } from "./settings.js";

describe("the intake's settings", () => {
  it("refuse one token for two purposes: nobody could tell who labels", () => {
    const one = "a-long-enough-token";
    expect(() => intakeSettings({ INTAKE_TOKEN: one, INTAKE_LABEL_TOKEN: one })).toThrow(
      /^INTAKE_LABEL_TOKEN is the same as INTAKE_TOKEN: .* Make up another$/,
    );
    for (const variable of ["INTAKE_TOKEN", "INTAKE_LABEL_TOKEN"])
      expect(() => intakeSettings({ [variable]: one, INTAKE_LABEL_USERS: `Ada Lovelace:${one}` })).toThrow(
        new RegExp(`^INTAKE_LABEL_USERS gives Ada Lovelace the token of ${variable}: .* Make up another$`),
      );
    expect(
      intakeSettings({
        INTAKE_TOKEN: one,
        INTAKE_LABEL_TOKEN: `${one}-2`,
        INTAKE_LABEL_USERS: `Ada Lovelace:${one}-3`,
      }).tokens,
    ).toEqual({
      transactions: one,
      labels: `${one}-2`,
      people: [{ name: "Ada Lovelace", token: `${one}-3` }],
    });
  });
});
