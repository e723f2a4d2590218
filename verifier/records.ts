import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText, type RecordPosition } from "../contract/raw-record.js";
import { type Decision, Decision as DecisionType, type Evidence } from "../protos/gen/fraud/v1/decision.js";
import { Alert, RejectedRecord, StateEvent } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";

/** A Kafka record as the verifier needs it. */
export interface StoredRecord extends RecordPosition {
  readonly value: Uint8Array | null;
}

/** What the topics hold, or what they hold on some accounts: committed records only, each partition in offset order. */
export interface VerifiedRecords {
  readonly transactions: readonly StoredRecord[];
  readonly labels: readonly StoredRecord[];
  readonly decisions: readonly StoredRecord[];
  readonly evidence: readonly StoredRecord[];
  readonly alerts: readonly StoredRecord[];
  readonly rejected: readonly StoredRecord[];
}

/** What is judged by merchant. */
export type MerchantRecords = Pick<VerifiedRecords, "decisions" | "evidence">;

/** One input of an address, known by what it left behind: a decision on a transaction, or a state event. */
export interface AddressInput {
  readonly eventSeq: bigint;
  /** The record that holds it, for people. */
  readonly position: string;
  /** For a transaction: its number among the address' transactions. */
  readonly seq?: bigint;
  /** For an account's suspicious decision: its number among those. */
  readonly suspiciousSeq?: bigint | undefined;
  /** Decoded again each time: decoded all at once, a long run would not fit into memory. */
  readonly decision?: () => Decision;
  readonly event?: StateEvent;
}

/** Everything that each address took in, not yet in order. */
export type AddressHistories = ReadonlyMap<string, readonly AddressInput[]>;

/**
 * Groups decisions and state events by the accounts whose counters made them. Unreadable records are left to the
 * caller's other checks.
 */
export const accountHistories = (records: MerchantRecords): AddressHistories =>
  histories(
    records,
    (event) => event.function === ACCOUNT_COUNTER,
    ({ transaction, account, scoring }) => ({
      id: transaction.accountId,
      eventSeq: account.eventSeq,
      seq: account.seq,
      suspiciousSeq: scoring?.suspiciousSeq,
    }),
  );

/** The same by merchant. */
export const merchantHistories = (records: MerchantRecords): AddressHistories =>
  histories(
    records,
    (event) => event.function === MERCHANT_MODEL,
    ({ transaction, merchant }) => ({ id: transaction.merchantId, eventSeq: merchant.eventSeq, seq: merchant.seq }),
  );

/** Evidence that says whose it is. */
type AddressedEvidence = Evidence & {
  readonly [Section in "transaction" | "account" | "merchant"]-?: NonNullable<Evidence[Section]>;
};

/** Whether both of a decision's addresses can be told. */
export const isAddressed = (evidence: Evidence | undefined): evidence is AddressedEvidence =>
  evidence?.transaction !== undefined && evidence.account !== undefined && evidence.merchant !== undefined;

function histories(
  { decisions, evidence }: MerchantRecords,
  isOwn: (event: StateEvent) => boolean,
  own: (
    evidence: AddressedEvidence,
  ) => { readonly id: string } & Pick<AddressInput, "eventSeq" | "seq" | "suspiciousSeq">,
): AddressHistories {
  const addresses = new Map<string, AddressInput[]>();
  const note = (id: string, input: AddressInput): void => {
    const inputs = addresses.get(id);
    if (inputs === undefined) addresses.set(id, [input]);
    else inputs.push(input);
  };
  for (const record of decisions) {
    const found = decisionIn(record)?.evidence;
    if (!isAddressed(found)) continue;
    const { id, ...numbers } = own(found);
    note(id, { ...numbers, position: positionText(record), decision: () => decisionIn(record)! });
  }
  for (const record of evidence) {
    const event = eventIn(record);
    if (event !== undefined && isOwn(event))
      note(event.addressId, { eventSeq: event.eventSeq, position: positionText(record), event });
  }
  return addresses;
}

export const decisionIn = (record: Pick<StoredRecord, "value">): Decision | undefined => unpacked(record, DecisionType);
export const alertIn = (record: StoredRecord): Alert | undefined => unpacked(record, Alert);
export const rejectionIn = (record: StoredRecord): RejectedRecord | undefined => unpacked(record, RejectedRecord);
export const eventIn = (record: StoredRecord): StateEvent | undefined => unpacked(record, StateEvent);

function unpacked<T>(
  { value }: Pick<StoredRecord, "value">,
  type: { readonly $type: string; decode(bytes: Uint8Array): T },
): T | undefined {
  if (value === null) return undefined;
  try {
    const any = Any.decode(value);
    return any.typeUrl === `type.googleapis.com/${type.$type}` ? type.decode(any.value) : undefined;
  } catch {
    return undefined;
  }
}
