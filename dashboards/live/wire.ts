import type { DecisionSummary, OutcomeName } from "../../contract/decision-summary.js";

/**
 * What the server and the browser say to each other. Ids and sequence numbers are strings: 64 bits do not fit a
 * JavaScript number. Times are milliseconds since 1970; amounts are minor units of their currency, as ISO 4217 counts
 * them.
 */

export type { OutcomeName } from "../../contract/decision-summary.js";
export type VerdictName = "FRAUD" | "LEGITIMATE";

/** A record's position in Kafka. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** A rule that fired and the points it gave. */
export interface ReasonPoints {
  readonly code: string;
  readonly points: number;
}

/** An alert that opened or escalated an episode, as a row of the list. */
export interface AlertRow {
  /** Rises with each alert that this server has read; larger is newer. */
  readonly n: number;
  /** `<account>/<alert number>` */
  readonly id: string;
  readonly account: string;
  readonly alertSeq: string;
  readonly episode: string;
  readonly kind: "opened" | "escalated";
  /** Why it was raised, in words. */
  readonly cause: string;
  readonly score: number;
  /** Of the episode so far. */
  readonly maxScore: number;
  readonly count: number;
  readonly sumMinor: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly transactionId: string;
  readonly merchantId: string;
  readonly merchantName: string;
  /** Empty when the card was used online, or nobody knows where. */
  readonly place: string;
  /** In degrees; absent when unknown, as exactly 0, 0 is. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly eventTimeMs: number;
  readonly raisedAtMs: number;
  /** When this server read it, committed. */
  readonly seenAtMs: number;
  readonly reasons: readonly ReasonPoints[];
  readonly kafka: Position;
  /** What was decided on its transaction; `null` until that decision has been read. */
  outcome: OutcomeName | null;
  /** Whether its episode is still open. */
  open: boolean;
  /** What an analyst or the label feed says of its transaction. */
  verdict: VerdictName | null;
}

/** What counted a verdict: an address' numbered change of state. */
export interface VerdictEffect {
  readonly eventSeq: string;
  /** +1: one more confirmed fraud; −1: one taken back; 0: recorded, counts nothing. */
  readonly delta: number;
}

/** A verdict as it stands in `labels.valid`: a line of the audit trail. */
export interface VerdictRow {
  readonly labelId: string;
  readonly account: string;
  readonly transactionId: string;
  readonly merchantId: string;
  readonly verdict: VerdictName;
  /** 0: it came without one, and the account counter has not given it one yet. */
  revision: number;
  /** Empty for a verdict that came without one. */
  readonly note: string;
  /** Empty when it came from the label feed. */
  readonly analyst: string;
  readonly atMs: number;
  readonly kafka: Position;
  accountEffect: VerdictEffect | null;
  merchantEffect: VerdictEffect | null;
}

/** A decision as a point of a timeline. */
export interface DecisionPoint extends DecisionSummary {
  readonly account: string;
  readonly transactionId: string;
  readonly merchantId: string;
  readonly merchantName: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly place: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly eventTimeMs: number;
  readonly accountEventSeq: string;
  readonly merchantSeq: string;
  readonly merchantEventSeq: string;
  readonly accountFrauds: number;
  readonly merchantFrauds: number;
  readonly merchantFraudPermille: number;
  readonly seenAtMs: number;
  readonly verdict: VerdictName | null;
}

/** One feature of a decision. */
export interface FeatureLine {
  readonly name: string;
  /** Which address it comes from. */
  readonly group: "transaction" | "account" | "merchant";
  readonly label: string;
  /** Formatted; empty when it is not known. */
  readonly value: string;
  /** Points of the rules that look at this feature and fired, or what it contributed. */
  readonly points: number;
}

/** By how much one feature moved a model of trees. */
export interface ContributionLine {
  /** As the evidence has it. */
  readonly name: string;
  readonly label: string;
  /** Formatted; empty when it is not known. */
  readonly value: string;
  /** What it is told against, formatted; empty when the model's file is not here. */
  readonly ordinary: string;
  /** As reasons have them: hundredths of the logarithm of the odds, towards 0. Positive: towards fraud. */
  readonly points: number;
}

/** A feature's value with which the transaction would have been approved, everything else as it was. */
export interface CounterfactualLine {
  readonly name: string;
  readonly label: string;
  /** Formatted. */
  readonly was: string;
  /** Formatted, such as `below 1,204 km/h`. */
  readonly wanted: string;
}

/** What a challenger said in shadow: it changes nothing. */
export interface ChallengerLine {
  readonly modelId: string;
  readonly modelHash: string;
  readonly score: number;
  readonly probabilityPpm: number | null;
  readonly outcome: OutcomeName;
  /** Whether it would have decided the same. */
  readonly agrees: boolean;
  readonly error: string;
}

/** One rule of the model, and what it made of a decision. */
export interface RuleLine {
  readonly code: string;
  readonly words: string;
  readonly points: number;
  readonly fired: boolean;
  readonly conditions: readonly {
    readonly label: string;
    readonly wanted: string;
    readonly value: string;
    readonly holds: boolean;
  }[];
}

/** Scores from which on a model reviews and declines. */
export interface Thresholds {
  readonly reviewAt: number;
  readonly declineAt: number;
}

/** Everything that a decision rests on. */
export interface DecisionDetail extends DecisionPoint {
  readonly modelId: string;
  readonly modelHash: string;
  /** Whether the transaction's stamp names the model; else the function server took its own. */
  readonly modelStamped: boolean;
  /** False when the model's file is not here: then only what the evidence says is known. */
  readonly modelKnown: boolean;
  /** Of the model that decided; `null` when its file is not here. */
  readonly thresholds: Thresholds | null;
  /** `null`: the model says none. */
  readonly probabilityPpm: number | null;
  /** Largest first; none of a model of points. */
  readonly contributions: readonly ContributionLine[];
  /** `null` when it was approved, or the model's file is not here. */
  readonly counterfactuals: readonly CounterfactualLine[] | null;
  /** `null`: none scored beside it. */
  readonly challenger: ChallengerLine | null;
  readonly logicVersions: { readonly account: string; readonly merchant: string; readonly scorer: string };
  readonly suspiciousSeq: string;
  readonly error: string;
  readonly rules: readonly RuleLine[];
  readonly features: readonly FeatureLine[];
  readonly kafka: Position;
}

/** The first decisions after a verdict, next to the last one before it. */
export interface NextScores {
  readonly before: DecisionPoint | null;
  readonly after: readonly DecisionPoint[];
}

/** What the alert's page shows. */
export interface AlertDetail {
  readonly alert: AlertRow;
  /** `null` when it is older than what this server keeps. */
  readonly decision: DecisionDetail | null;
  /** The account's newest decisions, oldest first. */
  readonly recent: readonly DecisionPoint[];
  /** On this transaction, newest first. */
  readonly verdicts: readonly VerdictRow[];
  /** After the newest verdict that counted; `null` before there is one. */
  readonly next: { readonly verdict: VerdictRow; readonly account: NextScores; readonly merchant: NextScores } | null;
}

/** Counted since this server has started, over the transactions that came after that. */
export interface ExactlyOnceCounts {
  readonly sent: number;
  readonly decided: number;
  readonly duplicates: number;
  readonly missing: number;
  /** Not decided yet. */
  readonly waiting: number;
  /** Refused by the account counter. */
  readonly rejected: number;
  /** Beyond what is remembered: nothing is known of these. */
  readonly forgotten: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** The figures of one second. */
export interface Pulse {
  /** The second's end, in ms since 1970. */
  readonly t: number;
  readonly in: number;
  readonly out: number;
  readonly alerts: number;
  readonly approve: number;
  readonly review: number;
  readonly decline: number;
  readonly error: number;
  /**
   * From when the broker or the HTTP door took the transaction to its first, provisional decision. `null`: none came.
   */
  readonly visible: Quantiles | null;
  /** The same, to the committed decision. */
  readonly committed: Quantiles | null;
  readonly counts: ExactlyOnceCounts;
  readonly pipeline: PipelineState;
}

/** How the parts that others run are. */
export interface PipelineState {
  readonly kafka: "answers" | "away";
  /** Flink's word for the job's state, or `unreachable`. */
  readonly job: string;
  /** Since this server has started, over all JobManagers. */
  readonly restarts: number;
  /** Interruptions of the job that this server has seen, and how long the last one took, in ms. */
  readonly interruptions: number;
  readonly lastOutageMs: number | null;
  readonly checkpoints: {
    readonly completed: number;
    readonly failed: number;
    readonly durationMs: number;
    readonly bytes: number;
  } | null;
  /** Whether this server has read back its history. */
  readonly caughtUp: boolean;
}

/** What changed within a quarter of a second. */
export interface Delta {
  readonly alerts?: readonly AlertRow[];
  /** Episodes that were closed: account and episode. */
  readonly closed?: readonly (readonly [account: string, episode: string])[];
  /** Alerts whose decision was read after them. */
  readonly outcomes?: readonly (readonly [id: string, outcome: OutcomeName])[];
  readonly verdicts?: readonly VerdictRow[];
  /** Kills from the failure menu. */
  readonly failures?: readonly FailureMark[];
}

/** A part was killed from the failure menu. */
export interface FailureMark {
  readonly part: string;
  readonly atMs: number;
}

export interface AlertsPage {
  /** Where the stream stood when this was read: follow it from here. */
  readonly position: string;
  /** Newest first. */
  readonly rows: readonly AlertRow[];
  /** How many match in all that is kept. */
  readonly total: number;
}

/** What the browser needs to know once. */
export interface Meta {
  /** Words for each reason code. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Parts that the failure menu may kill; `null` when it is switched off. */
  readonly failureParts: readonly string[] | null;
  /** Whether a token is asked for. */
  readonly withToken: boolean;
  /** Whose token opened this session; `null` where people share one, or none is asked for. */
  readonly signedInAs: string | null;
  /** When this server has started. */
  readonly since: number;
}

/** A body of `POST /api/verdicts`. */
export interface VerdictRequest {
  readonly accountId: string;
  readonly transactionId: string;
  readonly verdict: VerdictName;
  readonly note: string;
  /** Who gives it, where nobody signs in by name; else it is whoever signed in, and may be left out. */
  readonly analyst?: string | undefined;
}

/** How many transactions have this score, and how many of these have a verdict. */
export interface ScoreCount {
  readonly score: number;
  readonly decided: number;
  readonly frauds: number;
  readonly genuine: number;
}

/** The same of all that was decided one way. */
export type LabelCounts = Omit<ScoreCount, "score">;

/** What the verdicts say of one model's decisions. */
export interface ModelQuality {
  readonly modelId: string;
  readonly modelHash: string;
  /** `null` when the model's file is not here. */
  readonly thresholds: Thresholds | null;
  /** To review, or declined. */
  readonly suspicious: LabelCounts;
  readonly approved: LabelCounts;
  /** What known frauds amount to, by currency: of suspicious ones, and of those that were let through. */
  readonly value: readonly {
    readonly currency: string;
    readonly detectedMinor: number;
    readonly missedMinor: number;
  }[];
  /** Rising; scores that none has are left out. */
  readonly scores: readonly ScoreCount[];
  /** Of scores. `null`: models of points have no reference. */
  readonly drift: Drift | null;
  /** Of the main features, by a sample; none where the model's file has no reference for them. */
  readonly featureDrift: readonly FeatureDrift[];
}

/** How scores, or values of a feature, are spread next to the model's reference. */
export interface Drift {
  readonly minutes: number;
  readonly decisions: number;
  /** Fewer say nothing. */
  readonly least: number;
  /** Population stability index; `null` of too few decisions. */
  readonly index: number | null;
  /** Rising. `from` is the least that is in it, as models have it; empty: there is no least. */
  readonly bands: readonly { readonly from: string; readonly share: number; readonly reference: number }[];
}

/** How one feature is spread. */
export interface FeatureDrift extends Drift {
  readonly feature: string;
  readonly label: string;
}

/** How well frauds are found, by the verdicts so far. */
export interface Quality {
  /** So many of the newest decisions are looked at. */
  readonly limit: number;
  /** Transactions with a verdict whose decision is not among these. */
  readonly verdictsWithoutDecision: number;
  /** The one that decided last is the first. */
  readonly models: readonly ModelQuality[];
}
