import { describe, expect, it } from "vitest";

import type { OpenTransaction } from "../../kafka/transactions.js";
import { abandonedTransactions } from "./abandoned-transactions.js";

const open = (transactionalId: string, startedAtMs: number, topics = ["decisions"]): OpenTransaction => ({
  transactionalId,
  producerId: 1n,
  epoch: 0,
  startedAtMs,
  timeoutMs: 1,
  topics,
});

/** Two looks, with checkpoints between. */
async function found(...looks: readonly (readonly OpenTransaction[])[]) {
  const left = [...looks];
  let checkpoints = 0;
  const abandoned = await abandonedTransactions(["decisions", "alerts"], {
    open: () => Promise.resolve(left.shift()!),
    checkpoints: (more) => {
      checkpoints += more;
      return Promise.resolve();
    },
  });
  return { abandoned: abandoned.map(({ transactionalId }) => transactionalId), checkpoints };
}

describe("abandoned transactions", () => {
  it("are those that outlive checkpoints: the job ends its own with each, and begins others", async () => {
    const before = [open("gone", 1), open("egress-1", 2), open("egress-2", 2), open("alerts' too", 3, ["alerts"])];
    const after = [open("gone", 1), open("egress-1", 7), open("egress-3", 7), open("alerts' too", 3, ["alerts"])];
    expect(await found(before, after)).toEqual({ abandoned: ["gone", "alerts' too"], checkpoints: 5 });
  });

  it("are none on topics of others, nor when nothing is open", async () => {
    expect(await found([open("stranger", 1, ["payments"])])).toEqual({ abandoned: [], checkpoints: 0 });
    expect(await found([])).toEqual({ abandoned: [], checkpoints: 0 });
  });
});
