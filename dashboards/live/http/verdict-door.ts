import { z } from "zod";

import { MAX_ID_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES } from "../../../contract/input-bounds.js";
import type { Dashboard } from "../state/dashboard.js";
import type { VerdictRequest } from "../wire.js";

const INTAKE_MS = 12_000;

const oneLine = (max: number) =>
  z
    .string()
    // What people paste has line breaks; the intake takes one line.
    .transform((text) => text.replace(/\s+/g, " ").trim())
    .refine((text) => Buffer.byteLength(text) <= max, `must have at most ${max} bytes`);

const body = z.strictObject({
  accountId: z.string().min(1).max(MAX_ID_BYTES),
  transactionId: z.string().min(1).max(MAX_ID_BYTES),
  verdict: z.enum(["FRAUD", "LEGITIMATE"]),
  note: oneLine(MAX_NOTE_BYTES),
  analyst: oneLine(MAX_NAME_BYTES)
    .refine((text) => text !== "", "must not be empty: the trail names who gave the verdict")
    .optional(),
}) satisfies z.ZodType<VerdictRequest>;

/** What became of a verdict. */
export type VerdictAnswer =
  | { readonly status: 202; readonly labelId: string; readonly revision: number }
  | { readonly status: 400 | 403 | 404 | 502; readonly error: string };

export interface VerdictDoorOptions {
  readonly dashboard: Dashboard;
  /** The intake's URL, without a slash at the end. */
  readonly intake: string;
  readonly labelToken: string | undefined;
  readonly newId: () => string;
}

/**
 * Turns an analyst's verdict into a label at the intake's door: the intake alone writes `labels.valid`.
 *
 * @param signedInAs - who gives it, whatever the body says; `undefined` where nobody signs in by name
 */
export async function giveVerdict(
  json: unknown,
  signedInAs: string | undefined,
  { dashboard, intake, labelToken, newId }: VerdictDoorOptions,
): Promise<VerdictAnswer> {
  const parsed = body.safeParse(json);
  if (!parsed.success)
    return {
      status: 400,
      error: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    };
  const { accountId, transactionId, verdict, note } = parsed.data;
  const analyst = signedInAs ?? parsed.data.analyst;
  if (analyst === undefined) return { status: 400, error: "analyst: is needed: the trail names who gave the verdict" };
  if (parsed.data.analyst !== undefined && parsed.data.analyst !== analyst)
    return { status: 403, error: `you are signed in as ${analyst}, and can't give a verdict in another name` };
  const fields = dashboard.labelFieldsOf(accountId, transactionId);
  if (fields === undefined) return { status: 404, error: "this transaction is not among those that are kept here" };
  const revision = dashboard.verdicts.nextRevision(accountId, transactionId);
  const labelId = newId();
  const label = {
    labelId,
    accountId,
    transactionId,
    merchantId: fields.merchantId,
    verdict,
    revision,
    eventTimeMs: fields.eventTimeMs,
    effectiveAtMs: fields.effectiveAtMs,
    analyst,
    ...(note !== "" && { note }),
  };
  try {
    const response = await fetch(`${intake}/v1/labels`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(labelToken !== undefined && { authorization: `Bearer ${labelToken}` }),
      },
      body: JSON.stringify(label),
      signal: AbortSignal.timeout(INTAKE_MS),
    });
    if (response.status === 202) return { status: 202, labelId, revision };
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: unknown };
    return {
      status: response.status === 400 ? 400 : 502,
      error: typeof detail === "string" ? detail : `the intake answered with status ${response.status}`,
    };
  } catch {
    return { status: 502, error: "the intake does not answer: the verdict was not taken" };
  }
}
