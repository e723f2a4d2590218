import type { AccountEvidence, AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import { type StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { type FraudLabel, type Location, type Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { metresBetween, metresBetweenUntil4 } from "./distance.js";
import { LearnedAccountReference } from "./learned-account.js";
import type { LogicSettings } from "./settings.js";
import { BucketWindow } from "./window.js";

const MAX_UINT64 = 2n ** 64n - 1n;

interface HeldVerdict {
  readonly transactionId: string;
  readonly revision: number;
  readonly fraud: boolean;
  readonly effectiveAt: bigint;
}

/** How far a label's revision may be beyond the one that holds. */
export const MAX_REVISION_JUMP = 16;
/** Blocks in which the memory of repeats is kept and forgotten. */
const MEMORY_BLOCKS = 15;

interface MemoryBlock {
  count: number;
  latest: bigint;
}

/** What the evidence of a transaction says besides its features. */
export type AccountMarks = Pick<
  AccountEvidence,
  "possibleRepeat" | "forgottenSeq" | "learnedIncomplete" | "knownFraudFromMs"
>;

/**
 * What the account counter must hold for one account after its inputs so far: written from `docs/features.md` alone.
 */
export class AccountReference {
  #latest = 0n;
  #velocity = new BucketWindow();
  #day = new BucketWindow();
  #history = new BucketWindow();
  #seen: { readonly time: bigint; readonly place: Location } | undefined;
  #verdicts: HeldVerdict[] = [];
  #merchants: string[] = [];
  #seq = 0n;
  #blocks: MemoryBlock[] = [];
  #forgottenUntil = 0n;
  #learned = new LearnedAccountReference();
  #marks: AccountMarks = {
    possibleRepeat: false,
    forgottenSeq: 0n,
    learnedIncomplete: false,
    knownFraudFromMs: undefined,
  };

  /** What the evidence of the last transaction must say besides features. */
  get marks(): AccountMarks {
    return this.#marks;
  }

  transaction(transaction: Transaction, settings: LogicSettings): AccountFeatures {
    const { account } = settings;
    const { amountMinor: amount, eventTimeMs: time } = transaction;
    const held = this.#verdicts.find((one) => one.fraud && one.transactionId === transaction.transactionId);
    const journey = {
      ...this.#travel(transaction, settings.codeVersion),
      merchantVisits: this.#visits(transaction.merchantId, account.knownMerchants),
    };
    const learned = this.#learned.transaction(transaction, journey, held?.effectiveAt, this.#latest, settings);
    this.#marks = { ...this.#remember(time, account.recentTransactions), ...learned.marks };
    const asOf = (this.#latest = time > this.#latest ? time : this.#latest);
    this.#history.moveTo(asOf, account.history);
    const before = this.#history.total(asOf, account.history);
    for (const [window, shape] of [
      [this.#history, account.history],
      [this.#velocity, account.velocity],
      [this.#day, account.day],
    ] as const) {
      window.moveTo(asOf, shape);
      window.add(time, asOf, shape, 1, amount);
    }
    const velocity = this.#velocity.total(asOf, account.velocity);
    const day = this.#day.total(asOf, account.day);
    const known = before.count >= account.minHistoryCount && before.amountMinor > 0n;
    const ratio = known ? (amount * 1000n * BigInt(before.count)) / before.amountMinor : undefined;
    return {
      velocityCount: velocity.count,
      velocityAmountMinor: velocity.amountMinor,
      dayCount: day.count,
      dayAmountMinor: day.amountMinor,
      historyCount: before.count,
      historyAmountMinor: before.amountMinor,
      amountRatioPermille: ratio !== undefined && ratio > MAX_UINT64 ? MAX_UINT64 : ratio,
      ...journey,
      confirmedFraudCount: this.#verdicts.filter(
        ({ fraud, effectiveAt }) => fraud && effectiveAt <= asOf && effectiveAt > asOf - BigInt(account.fraudWindowMs),
      ).length,
      ...learned.features,
    };
  }

  /** The event that this label must have made; `undefined`: it is stale or too far ahead, and makes none. */
  label(
    label: FraudLabel,
    settings: LogicSettings,
  ): Pick<StateEvent, "kind" | "revision" | "fraudDelta" | "effectiveAtMs" | "eventTimeMs"> | undefined {
    const { account } = settings;
    const held = this.#verdicts.find(({ transactionId }) => transactionId === label.transactionId);
    const before = held?.revision ?? 0;
    const revision = label.revision ?? before + 1;
    if (revision <= before || revision > before + MAX_REVISION_JUMP) return undefined;
    const was = held?.fraud ?? false;
    const is = label.verdict === Verdict.FRAUD;
    const effective = label.effectiveAtMs ?? (label.eventTimeMs > this.#latest ? label.eventTimeMs : this.#latest);
    const next: HeldVerdict = {
      transactionId: label.transactionId,
      revision,
      fraud: is,
      effectiveAt: was && is ? held!.effectiveAt : effective,
    };
    this.#verdicts =
      held === undefined ? [...this.#verdicts, next] : this.#verdicts.map((one) => (one === held ? next : one));
    if (this.#verdicts.length > account.maxVerdicts) {
      const good = this.#verdicts.filter(({ fraud }) => !fraud);
      const earliest = (good.length > 0 ? good : this.#verdicts).reduce((least, one) =>
        one.effectiveAt < least.effectiveAt ? one : least,
      );
      this.#verdicts = this.#verdicts.filter((one) => one !== earliest);
    }
    const fraudDelta = Number(is) - Number(was);
    this.#learned.label(label.transactionId, fraudDelta, effective, settings);
    return {
      kind: StateEvent_Kind.LABEL,
      revision,
      fraudDelta,
      effectiveAtMs: was ? held!.effectiveAt : effective,
      eventTimeMs: this.#latest,
    };
  }

  /** The event that an expiry must have made; `undefined`: there was nothing to remove. */
  expiry({ account }: LogicSettings): Pick<StateEvent, "kind" | "cutoffMs" | "eventTimeMs"> | undefined {
    const cutoffMs = this.#latest - BigInt(account.fraudWindowMs);
    const left = this.#verdicts.filter(({ effectiveAt }) => effectiveAt > cutoffMs);
    if (left.length === this.#verdicts.length) return undefined;
    this.#verdicts = left;
    return { kind: StateEvent_Kind.EXPIRY, cutoffMs, eventTimeMs: this.#latest };
  }

  /** The event that rest must have made; `undefined`: with these settings there is none. */
  rest({ account }: LogicSettings): Pick<StateEvent, "kind" | "eventTimeMs"> | undefined {
    if (account.restMs === 0) return undefined;
    this.#velocity = new BucketWindow();
    this.#day = new BucketWindow();
    this.#history = new BucketWindow();
    this.#seen = undefined;
    this.#verdicts = [];
    this.#merchants = [];
    this.#learned = new LearnedAccountReference();
    return { kind: StateEvent_Kind.REST, eventTimeMs: this.#latest };
  }

  /** It holds a count and a time for each block; which ids those are, the judge knows. */
  #remember(time: bigint, least: number): Pick<AccountMarks, "possibleRepeat" | "forgottenSeq"> {
    const possibleRepeat = time <= this.#forgottenUntil;
    this.#seq++;
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.count < Math.max(1, Math.floor(least / MEMORY_BLOCKS))) {
      last.count++;
      last.latest = time > last.latest ? time : last.latest;
    } else this.#blocks.push({ count: 1, latest: time });
    const held = (): number => this.#blocks.reduce((sum, { count }) => sum + count, 0);
    for (
      let oldest = this.#blocks[0];
      oldest !== undefined && held() - oldest.count >= least;
      oldest = this.#blocks[0]
    ) {
      this.#blocks.shift();
      this.#forgottenUntil = oldest.latest > this.#forgottenUntil ? oldest.latest : this.#forgottenUntil;
    }
    return { possibleRepeat, forgottenSeq: this.#seq - BigInt(held()) };
  }

  #travel(
    { location, eventTimeMs: time }: Transaction,
    codeVersion: LogicSettings["codeVersion"],
  ): Pick<AccountFeatures, "travelDistanceM" | "travelElapsedMs" | "travelSpeedKmh"> {
    // What a device sends that does not know where it is.
    const isNowhere = (place: Location): boolean =>
      codeVersion !== "4" && place.latitudeE6 === 0 && place.longitudeE6 === 0;
    const last = this.#seen === undefined || isNowhere(this.#seen.place) ? undefined : this.#seen;
    const lost = location === undefined || isNowhere(location);
    if (!lost && (last === undefined || time >= last.time)) this.#seen = { time, place: location };
    if (lost || last === undefined || time <= last.time)
      return { travelDistanceM: undefined, travelElapsedMs: undefined, travelSpeedKmh: undefined };
    const metres = (codeVersion === "4" ? metresBetweenUntil4 : metresBetween)(last.place, location);
    return {
      travelDistanceM: metres,
      travelElapsedMs: time - last.time,
      travelSpeedKmh: (metres * 3600n) / (time - last.time),
    };
  }

  #visits(merchantId: string, keep: number): number | undefined {
    if (keep === 0) return undefined;
    const visits = this.#merchants.slice(-keep).filter((one) => one === merchantId).length;
    this.#merchants = [...this.#merchants, merchantId].slice(-keep);
    return visits;
  }
}
