import type { RawRecord } from "../contract/raw-record.js";
import { findCommit } from "../java/find-commit.js";
import { UserError } from "../terminal/user-error.js";
import { knownInputs } from "../verifier/known.js";
import { knownModels } from "../verifier/reference/scoring.js";
import { knownVersions } from "../verifier/reference/settings.js";
import { assemble, decisionRecord, type Material } from "./assemble.js";
import { type Progress, readRelated, sight, sightDecisions } from "./read.js";
import type { CommitFinding, Trace } from "./types.js";

const COMMIT_LIMIT_MS = 30_000;

export interface TraceOptions {
  /** `host:port` of a broker. */
  readonly brokers: string;
  readonly transactionId: string;
  /** Needed when several accounts have a transaction of this id; makes the search quicker. */
  readonly accountId?: string | undefined;
  /** Settings that the functions had besides the defaults, as in `FRAUD_SETTINGS`. */
  readonly settings?: readonly unknown[];
  readonly onProgress?: Progress;
}

/**
 * Traces one transaction through the topics as they are now: its way with the time of each hop, what came of it, and
 * its decision derived again. The result is plain JSON. Takes seconds: Kafka's own Java consumer reads the topics.
 *
 * @throws {UserError} when Kafka or Java is not there, nobody knows the transaction, or several accounts have one of
 *   this id
 */
export async function traceTransaction({
  brokers,
  transactionId,
  accountId: asked,
  settings = [],
  onProgress = () => undefined,
}: TraceOptions): Promise<Trace> {
  onProgress("what entered");
  const sightings = await sight(brokers, transactionId, asked, onProgress);
  const accounts = new Set([
    ...sightings.entered.map(({ transaction }) => transaction.accountId),
    ...sightings.refused.map(({ accountId }) => accountId),
  ]);
  let transaction = sightings.entered[0]?.transaction;
  if (transaction === undefined) {
    onProgress("decisions, for one whose record is gone");
    const decided = await sightDecisions(brokers, transactionId, asked, onProgress);
    for (const { accountId } of decided) accounts.add(accountId);
    transaction = decided[0];
  }
  const [accountId, ...others] = [...accounts].sort();
  if (accountId === undefined)
    throw new UserError(
      `no transaction ${transactionId}${asked === undefined ? "" : ` of account ${asked}`} has entered, was refused or decided, as far as the topics at ${brokers} reach back.`,
      { code: "not-found" },
    );
  if (others.length > 0)
    throw new UserError(
      `several accounts have a transaction ${transactionId}: choose one with --account ${[accountId, ...others].join(", --account ")}.`,
    );

  if (transaction !== undefined) onProgress("decisions and evidence of its account and merchant");
  const related = transaction && (await readRelated(brokers, transaction, onProgress));
  const inputs = knownInputs(settings);
  const material: Material = {
    transactionId,
    accountId,
    sightings,
    related,
    known: { versions: knownVersions(inputs.settings), models: knownModels(inputs.models) },
  };
  const decision = decisionRecord(material);
  if (decision !== undefined) onProgress("the commit");
  return assemble(material, decision && (await commitOf(brokers, decision)));
}

/** Without it the rest of the trace still stands. */
async function commitOf(brokers: string, decision: RawRecord): Promise<CommitFinding> {
  try {
    return await findCommit(brokers, decision, COMMIT_LIMIT_MS);
  } catch (error) {
    return { kind: "unknown", reason: error instanceof Error ? error.message : String(error) };
  }
}
