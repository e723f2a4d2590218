import { describe, expect, it } from "vitest";

import { refusal } from "./guard.js";

const ask = (topics: boolean, checkpoint: boolean, pointer: boolean, outputs: boolean) =>
  refusal({ topics, checkpoint, pointer, outputs: () => Promise.resolve(outputs) });

describe("refusal", () => {
  it.each([
    { what: "a first start", topics: false, checkpoint: false, pointer: false, outputs: false },
    { what: "a start after an orderly stop or a kill", topics: true, checkpoint: true, pointer: true, outputs: true },
    { what: "a kill before the first checkpoint", topics: true, checkpoint: false, pointer: true, outputs: false },
    { what: "a kill before ZooKeeper wrote anything", topics: true, checkpoint: false, pointer: false, outputs: false },
    { what: "a checkpoint without a decision", topics: true, checkpoint: true, pointer: true, outputs: false },
  ])("lets $what pass", async ({ topics, checkpoint, pointer, outputs }) => {
    expect(await ask(topics, checkpoint, pointer, outputs)).toBeUndefined();
  });

  it.each([
    {
      what: "decisions without their checkpoint",
      topics: true,
      checkpoint: false,
      pointer: true,
      outputs: true,
      why: /checkpoint is gone/,
    },
    {
      what: "decisions without ZooKeeper's pointer",
      topics: true,
      checkpoint: true,
      pointer: false,
      outputs: true,
      why: /lost the pointer/,
    },
    {
      what: "a checkpoint without its topics",
      topics: false,
      checkpoint: true,
      pointer: true,
      outputs: false,
      why: /topics are gone/,
    },
  ])("refuses $what", async ({ topics, checkpoint, pointer, outputs, why }) => {
    expect(await ask(topics, checkpoint, pointer, outputs)).toMatch(why);
  });
});
