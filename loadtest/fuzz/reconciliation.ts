import { shortOriginName } from "../../contract/origin-name.js";
import { transactionKey } from "../../contract/transaction-key.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { RejectedRecord, RejectReason } from "../../protos/gen/fraud/v1/evidence.js";
import { IntakeReason, RefusedInput } from "../../protos/gen/fraud/v1/intake.js";
import { FraudLabel, type Origin, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import type { StoredRecord } from "../../verifier/records.js";

/** What the topics hold from one run, read with `read_committed`. */
export interface IntakeRecords {
  /** `transactions` and `labels`. */
  readonly sent: readonly StoredRecord[];
  readonly validTransactions: readonly StoredRecord[];
  readonly validLabels: readonly StoredRecord[];
  /** `transactions.rejected` and `labels.rejected`. */
  readonly rejected: readonly StoredRecord[];
  readonly decisions: readonly StoredRecord[];
  readonly functionsRejected: readonly StoredRecord[];
}

/** Where everything that was sent has ended up. All is well when `unaccounted`, `twice` and `undecided` are 0. */
export interface Reconciliation {
  readonly sent: number;
  readonly valid: number;
  readonly rejected: number;
  /** Rejected records by the intake's reason. */
  readonly byReason: Readonly<Record<string, number>>;
  /** Sent records that are neither valid nor rejected. */
  readonly unaccounted: number;
  /** Sent records that are found more than once. */
  readonly twice: number;
  /** Valid transactions with their own decision. */
  readonly decided: number;
  /** Valid ones that the account counter recognised as repeats. */
  readonly repeats: number;
  /** Valid ones that it refused, such as conflicts. */
  readonly functionsRejected: number;
  /** Valid transactions that are none of these. */
  readonly undecided: number;
  /** Transactions with more than one decision, the later one not marked as a possible repeat. */
  readonly decidedTwice: number;
  /** Some of the records that are not where they should be. */
  readonly examples: readonly string[];
}

/** The fate of each sent record, by its short origin name. */
export type Fates = ReadonlyMap<string, "valid" | "rejected">;

const MAX_EXAMPLES = 20;

/** Finds every sent record again. */
export function reconcile(records: IntakeRecords): { readonly reconciliation: Reconciliation; readonly fates: Fates } {
  const examples: string[] = [];
  const example = (text: string): void => void (examples.length < MAX_EXAMPLES && examples.push(text));
  const fates = new Map<string, "valid" | "rejected">();
  let twice = 0;
  const found = (origin: Origin | undefined, fate: "valid" | "rejected"): void => {
    const name = nameOf(origin);
    if (fates.has(name)) {
      twice++;
      example(`${name} is found more than once`);
    }
    fates.set(name, fate);
  };
  const transactions = records.validTransactions.map(({ value }) => Transaction.decode(value!));
  for (const { origin } of transactions) found(origin, "valid");
  for (const { value } of records.validLabels) found(FraudLabel.decode(value!).origin, "valid");
  const byReason: Record<string, number> = {};
  for (const { value } of records.rejected) {
    const { origin, reason } = RefusedInput.decode(Any.decode(value!).value);
    found(origin, "rejected");
    const name = IntakeReason[reason] ?? String(reason);
    byReason[name] = (byReason[name] ?? 0) + 1;
  }
  const lost = records.sent
    .map(({ topic, partition, offset }) => shortOriginName({ topic, partition, offset }))
    .filter((name) => !fates.has(name));
  for (const name of lost) example(`${name} is neither valid nor rejected`);

  const decidedOrigins = new Set<string>();
  const decidedContents = new Map<string, Set<string>>();
  let decidedTwice = 0;
  for (const { value } of records.decisions) {
    const { transaction: decided, account } = Decision.decode(Any.decode(value!).value).evidence!;
    const transaction = decided!;
    const identity = identityOf(transaction);
    let contents = decidedContents.get(identity);
    if (contents === undefined) decidedContents.set(identity, (contents = new Set()));
    else if (account?.possibleRepeat !== true) {
      decidedTwice++;
      example(`${identity.replace("\0", " ")} is decided more than once`);
    }
    contents.add(transaction.contentHash.toString("hex"));
    decidedOrigins.add(nameOf(transaction.origin));
  }
  const refusedOrigins = new Map(
    records.functionsRejected
      .map(({ value }) => RejectedRecord.decode(Any.decode(value!).value))
      .map(({ origin, reason }) => [nameOf(origin), reason]),
  );
  const of = { decided: 0, repeats: 0, functionsRejected: 0, undecided: 0 };
  for (const transaction of transactions) {
    const name = nameOf(transaction.origin);
    const known = decidedContents.get(identityOf(transaction));
    const hash = transaction.contentHash.toString("hex");
    if (decidedOrigins.has(name)) of.decided++;
    else if (
      refusedOrigins.has(name) &&
      (refusedOrigins.get(name) !== RejectReason.ID_CONFLICT || known?.has(hash) === false)
    )
      of.functionsRejected++;
    else if (known?.has(hash) === true) of.repeats++;
    else {
      of.undecided++;
      example(`${name} (${identityOf(transaction).replace("\0", " ")}) is valid and has no decision`);
    }
  }
  const reconciliation = {
    sent: records.sent.length,
    valid: records.validTransactions.length + records.validLabels.length,
    rejected: records.rejected.length,
    byReason,
    unaccounted: lost.length,
    twice,
    ...of,
    decidedTwice,
    examples,
  };
  return { reconciliation, fates };
}

const identityOf = ({ accountId, transactionId }: Transaction): string => transactionKey(accountId, transactionId);

const nameOf = (origin: Origin | undefined): string => (origin === undefined ? "no origin" : shortOriginName(origin));
