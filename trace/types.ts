import type { TransactionEnd } from "../java/find-commit.js";
import type { JsonObject } from "../kafka/decode.js";
import type { UserErrorCode } from "../terminal/user-error.js";

/** How a decision's Kafka transaction ended; `reason`: why that could not be found out. */
export type CommitFinding = TransactionEnd | { readonly kind: "unknown"; readonly reason: string };

/** Where a record stands: `decisions 2@1041` is topic, partition and offset. */
export type Position = string;

/**
 * What a transaction has come to. `pending`: accepted, and no committed decision on it is there yet; it may be a moment
 * away, or its decision may have been removed by retention.
 */
export type TraceState = "decided" | "pending" | "refused";

/** One moment of a transaction's way. Times are milliseconds since 1970. */
export interface Hop {
  readonly name: "entered" | "counted" | "merchant" | "scored" | "written" | "committed" | "visible" | "alert";
  readonly atMs: number;
  /** Since the hop before it; alerts since the scoring. Clocks of several machines may make it negative. */
  readonly tookMs: number | undefined;
  /** Who did it: an address, a topic's record. */
  readonly where: string;
  /** Where the time comes from. */
  readonly source: string;
}

/** How a section of the evidence was derived again. */
export interface SectionResult {
  /**
   * `different`: a replay gives other bytes. `cut-off`: retention has removed inputs that a replay needs. `incomplete`:
   * inputs are missing though retention has removed nothing, or one is there twice. `unknown`: the version or model
   * that it names is not known here, or the function reported an error.
   */
  readonly verdict: "identical" | "different" | "cut-off" | "incomplete" | "unknown";
  /** How many inputs of the address were replayed, this transaction included. */
  readonly replayed: number;
  /** One sentence; empty when identical. */
  readonly note: string;
  readonly differences: readonly Difference[];
}

/** A field whose value is not the one that a replay gives. `null`: absent. */
export interface Difference {
  /** Such as `account.features.dayCount`. */
  readonly field: string;
  readonly found: string | null;
  readonly expected: string | null;
}

/** The decision derived again from what the topics hold, by the verifier's own reference. */
export interface Rederivation {
  /** The worst of the sections. */
  readonly verdict: SectionResult["verdict"];
  /** One sentence for people. */
  readonly summary: string;
  readonly parts: Readonly<Record<"transaction" | "account" | "merchant" | "scoring", SectionResult>>;
  /** Length of the evidence as it stands in the topic. */
  readonly bytes: number;
}

/** What a challenger said of the transaction. */
export interface TracedShadow {
  readonly modelId: string;
  readonly outcome: string;
  readonly score: number;
  readonly probabilityPpm: number | undefined;
  readonly error: string;
}

/** An alert of the episode that the transaction belongs to. */
export interface TracedAlert {
  readonly place: Position;
  readonly alertId: string;
  /** Such as `OPENED`, and `FIRST`. */
  readonly kind: string;
  readonly cause: string;
  readonly episode: string;
  readonly raisedAtMs: number;
  /** False for one that another transaction, a gap or a timer raised. */
  readonly byThis: boolean;
}

/** A verdict on the transaction that came in. */
export interface TracedLabel {
  readonly place: Position;
  readonly labelId: string;
  /** 0: it came without one, and was not recorded. */
  readonly revision: number;
  readonly verdict: string;
  readonly effectiveAtMs: number;
}

/** A change of state that names the transaction. */
export interface TracedEvent {
  readonly place: Position;
  /** Such as `fraud/merchant-model/m-3`. */
  readonly address: string;
  readonly eventSeq: string;
  readonly kind: string;
  readonly source: string;
  readonly fraudDelta: number;
}

/** A record under this id that was refused. */
export interface TracedRefusal {
  readonly place: Position;
  readonly by: string;
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
}

/** The whole way of one transaction. Plain JSON: 64-bit numbers of evidence are strings. */
export interface Trace {
  readonly transactionId: string;
  readonly accountId: string;
  /** `undefined` for one that was refused before it could be read that far. */
  readonly merchantId: string | undefined;
  readonly state: TraceState;
  /** The transaction as it was accepted, or else as it was decided. */
  readonly transaction: JsonObject | undefined;
  readonly entered: {
    readonly door: "HTTP" | "Kafka" | "unknown";
    /** In the public topic; `undefined` for HTTP. */
    readonly origin: Position | undefined;
    /** In `transactions.valid`; `undefined` when retention has removed it. */
    readonly place: Position | undefined;
    /** Later records of the same id, content or not: the account counter dropped or refused them. */
    readonly again: readonly Position[];
  };
  readonly hops: readonly Hop[];
  readonly decision:
    | {
        readonly place: Position;
        readonly outcome: string;
        readonly score: number;
        readonly reasons: readonly { readonly code: string; readonly points: number }[];
        readonly modelId: string;
        readonly error: string;
        /** Of models that say one. */
        readonly probabilityPpm: number | undefined;
        /** What a challenger said in shadow: it changes nothing. */
        readonly challenger: TracedShadow | undefined;
        /** As old as what the account had forgotten: it may have been decided before. */
        readonly possibleRepeat: boolean;
        /** Decisions on it before, which the account had forgotten. */
        readonly earlier: readonly Position[];
      }
    | undefined;
  /** As it stands in the decision, each function's section by its name. */
  readonly evidence: JsonObject | undefined;
  /** How the Kafka transaction that wrote the decision ended, and how that is known. */
  readonly commit: { readonly how: "commit" | "open" | "plain" | "unknown"; readonly source: string } | undefined;
  readonly alerts: readonly TracedAlert[];
  readonly labels: readonly TracedLabel[];
  readonly stateEvents: readonly TracedEvent[];
  readonly refused: readonly TracedRefusal[];
  readonly rederivation: Rederivation | undefined;
}

/** What `npm run trace -- --json` prints when there is no trace; the same message stands on its standard error. */
export interface NoTrace {
  readonly error: { readonly code: UserErrorCode | undefined; readonly message: string };
}
