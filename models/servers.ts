import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";

import type { Model } from "../functions/transaction-scorer/model.js";
import { poll } from "../process/poll.js";
import type { ModelsInForce } from "../protos/gen/fraud/v1/models.js";

const PATIENCE_MS = 10_000;
const INTERVAL_MS = 100;
const ANSWER_MS = 2_000;

const loadedSchema = z.object({ models: z.array(z.object({ id: z.string(), hash: z.string() })) });
const stampedSchema = z.object({
  models: z.object({ model: z.object({ hash: z.string() }), challenger: z.object({ hash: z.string() }) }).nullable(),
});

/** Of these models the ones that a function server does not have; `undefined`: none answers there. */
export async function missingAt(functions: string, models: readonly Model[]): Promise<Model[] | undefined> {
  const answer = loadedSchema.safeParse(await ask(`${functions}/healthz`));
  if (!answer.success) return undefined;
  const loaded = new Set(answer.data.models.map(({ hash }) => hash));
  return models.filter(({ hash }) => !loaded.has(bytesToHex(hash)));
}

/** Whether an intake stamps these, after a moment's patience; `undefined`: none answers there. */
export async function stampsAt(
  intake: string,
  { modelHash, challengerHash }: Pick<ModelsInForce, "modelHash" | "challengerHash">,
): Promise<boolean | undefined> {
  const stamps = async (): Promise<boolean | undefined> => {
    const answer = stampedSchema.safeParse(await ask(`${intake}/readyz`));
    if (!answer.success) return undefined;
    const { models } = answer.data;
    return (
      models?.model.hash === modelHash.toString("hex") && models.challenger.hash === challengerHash.toString("hex")
    );
  };
  const first = await stamps();
  if (first !== false) return first;
  try {
    await poll("the intake to stamp them", async () => (await stamps()) === true, {
      timeoutMs: PATIENCE_MS,
      intervalMs: INTERVAL_MS,
    });
    return true;
  } catch {
    return false;
  }
}

async function ask(url: string): Promise<unknown> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).json();
  } catch {
    return undefined;
  }
}
