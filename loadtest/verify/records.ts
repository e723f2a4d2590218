import { type Decision, Decision as DecisionType } from "../../protos/gen/fraud/v1/decision.js";
import { Alert, RejectedRecord, StateEvent } from "../../protos/gen/fraud/v1/evidence.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";

/** A Kafka record as the verifier needs it. */
export interface PlacedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly value: Uint8Array | null;
}

/** What the topics hold, committed records only, each partition in the order of its offsets. */
export interface VerifiedRecords {
  readonly transactions: readonly PlacedRecord[];
  readonly labels: readonly PlacedRecord[];
  readonly decisions: readonly PlacedRecord[];
  readonly evidence: readonly PlacedRecord[];
  readonly alerts: readonly PlacedRecord[];
  readonly rejected: readonly PlacedRecord[];
}

/** One input of an address by what it left behind: a decision of a transaction, or a state event. */
export interface AddressInput {
  readonly eventSeq: bigint;
  /** The record that it stands in, for people. */
  readonly place: string;
  /** Decoded anew each time: decoded at once, a long run would not fit into memory. */
  readonly decision?: () => Decision;
  readonly event?: StateEvent;
}

/** Everything that each address took in, in no order yet. */
export interface AddressHistories {
  readonly accounts: ReadonlyMap<string, readonly AddressInput[]>;
  readonly merchants: ReadonlyMap<string, readonly AddressInput[]>;
}

export const COUNTER = "fraud/account-counter";
export const MERCHANT = "fraud/merchant-model";

/** A record's place, for people and as a key: `decisions 2@1041`. */
export const placeOf = ({ topic, partition, offset }: Pick<PlacedRecord, "topic" | "partition" | "offset">): string => `${topic} ${partition}@${offset}`;

/** Sorts decisions and state events by the addresses that made them. Unreadable records are left to the caller's other checks. */
export function addressHistories({ decisions, evidence }: VerifiedRecords): AddressHistories {
  const accounts = new Map<string, AddressInput[]>();
  const merchants = new Map<string, AddressInput[]>();
  const note = (map: Map<string, AddressInput[]>, id: string, input: AddressInput): void => {
    const inputs = map.get(id);
    if (inputs === undefined) map.set(id, [input]);
    else inputs.push(input);
  };
  for (const record of decisions) {
    const { evidence: found } = decisionIn(record) ?? {};
    if (found?.transaction === undefined || found.account === undefined || found.merchant === undefined) continue;
    const input = { place: placeOf(record), decision: () => decisionIn(record)! };
    note(accounts, found.transaction.accountId, { ...input, eventSeq: found.account.eventSeq });
    note(merchants, found.transaction.merchantId, { ...input, eventSeq: found.merchant.eventSeq });
  }
  for (const record of evidence) {
    const event = eventIn(record);
    if (event === undefined) continue;
    note(event.function === COUNTER ? accounts : merchants, event.addressId, { eventSeq: event.eventSeq, place: placeOf(record), event });
  }
  return { accounts, merchants };
}

export const decisionIn = (record: PlacedRecord): Decision | undefined => unpacked(record, DecisionType);
export const alertIn = (record: PlacedRecord): Alert | undefined => unpacked(record, Alert);
export const rejectionIn = (record: PlacedRecord): RejectedRecord | undefined => unpacked(record, RejectedRecord);
export const eventIn = (record: PlacedRecord): StateEvent | undefined => unpacked(record, StateEvent);

function unpacked<T>({ value }: PlacedRecord, type: { readonly $type: string; decode(bytes: Uint8Array): T }): T | undefined {
  if (value === null) return undefined;
  try {
    const any = Any.decode(value);
    return any.typeUrl === `type.googleapis.com/${type.$type}` ? type.decode(any.value) : undefined;
  } catch {
    return undefined;
  }
}
