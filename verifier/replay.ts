import { isDeepStrictEqual } from "node:util";

import { MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText } from "../contract/raw-record.js";
import {
  AccountFeatures,
  type Evidence,
  MerchantFeatures,
  Outcome,
  ScoringEvidence,
} from "../protos/gen/fraud/v1/decision.js";
import { RejectReason, type StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel } from "../protos/gen/fraud/v1/transaction.js";
import { AccountReference, MAX_REVISION_JUMP } from "./reference/account.js";
import { MerchantReference } from "./reference/merchant.js";
import { type KnownModels, scoringOf } from "./reference/scoring.js";
import type { LogicSettings } from "./reference/settings.js";
import type { PropertyCheck } from "./property.js";
import {
  type AddressHistories,
  type AddressInput,
  type StoredRecord,
  rejectionIn,
  type VerifiedRecords,
} from "./records.js";
import { LabelsUnderWay, labelText } from "./labels-under-way.js";

interface Checks {
  readonly accountFeatures: PropertyCheck;
  readonly merchantFeatures: PropertyCheck;
  readonly stateEvents: PropertyCheck;
  readonly scores: PropertyCheck;
}

/** What the names in evidence may refer to. */
export interface Known {
  readonly versions: ReadonlyMap<string, LogicSettings>;
  readonly models: KnownModels;
}

/**
 * Replays addresses in the order of their `event_seq`, each input with the `logic_version` that it names: first
 * accounts, any number at a time but each with all of its records, then merchants in the same way, then
 * {@link Replay.end}.
 */
export class Replay {
  readonly #known: Known;
  readonly #checks: Checks;
  readonly #underWay = new LabelsUnderWay();

  constructor(known: Known, checks: Checks) {
    this.#known = known;
    this.#checks = checks;
  }

  accounts(accounts: AddressHistories, { labels, rejected }: Pick<VerifiedRecords, "labels" | "rejected">): void {
    const refused = refusedLabels(rejected);
    const sent = labelsByAccount(labels, refused);
    for (const [id, inputs] of accounts)
      replayAccount(id, inputs, sent.get(id) ?? [], this.#known, this.#checks, this.#underWay);
    for (const [id, unused] of sent) {
      // Accounts that have nothing but labels.
      if (!accounts.has(id))
        for (const label of unused)
          this.#checks.stateEvents.violation(`${labelName(label)} of account ${id} made no state event`);
    }
    for (const one of refused)
      if (!isRightlyRefused(one, accounts.get(one.label.accountId) ?? []))
        this.#checks.stateEvents.violation(
          `${labelName(one.label)} of account ${one.label.accountId} was refused as ${RejectReason[one.reason]}, and nothing shows why`,
          one.position,
        );
  }

  merchants(merchants: AddressHistories): void {
    for (const [id, inputs] of merchants) replayMerchant(id, inputs, this.#known, this.#checks, this.#underWay);
  }

  /** All merchants have been replayed: what is still on its way never arrived. */
  end(): void {
    for (const { name, position } of this.#underWay.rest())
      this.#checks.stateEvents.violation(`the verdict ${name} never reached its merchant`, position);
  }
}

function replayAccount(
  id: string,
  inputs: readonly AddressInput[],
  sent: readonly FraudLabel[],
  known: Known,
  checks: Checks,
  underWay: LabelsUnderWay,
): void {
  const reference = new AccountReference();
  let suspicious = 0n;
  const taken = new Set<FraudLabel>();
  for (const { position, decision, event } of inOrder(inputs)) {
    if (event !== undefined) {
      checks.stateEvents.looked();
      const settings = settingsOf(known, event.logicVersion, checks.stateEvents, position);
      if (settings === undefined) continue;
      if (event.kind === StateEvent_Kind.EXPIRY) {
        sameEvent(event, reference.expiry(settings), checks.stateEvents, `expiry of account ${id}`, position);
        continue;
      }
      if (event.kind === StateEvent_Kind.REST) {
        sameEvent(event, reference.rest(settings), checks.stateEvents, `rest of account ${id}`, position);
        continue;
      }
      const label = sent.find((one) => isSourceOf(one, event) && !taken.has(one));
      if (label === undefined) {
        checks.stateEvents.violation(
          `a state event of account ${id} names a label that did not enter or was used already: ${event.sourceId} revision ${event.revision}`,
          position,
        );
        continue;
      }
      taken.add(label);
      const expected = reference.label(label, settings);
      sameEvent(event, expected, checks.stateEvents, `label ${label.labelId} of account ${id}`, position);
      if (expected !== undefined && expected.fraudDelta !== 0)
        underWay.sent(event, id, namesAccounts(settings), position);
      continue;
    }
    const { evidence } = decision!();
    const { transaction, account, scoring } = evidence!;
    const name = `${id} ${transaction!.transactionId}`;
    checks.accountFeatures.looked();
    const settings = settingsOf(known, account!.logicVersion, checks.accountFeatures, position);
    if (settings !== undefined) {
      sameBytes(
        AccountFeatures,
        account!.features,
        reference.transaction(transaction!, settings),
        checks.accountFeatures,
        name,
        position,
      );
      sameMarks(account!, reference.marks, checks.accountFeatures, name, position);
    }
    checks.scores.looked();
    suspicious = checkScore(evidence!, scoring, suspicious, known, checks.scores, name, position);
  }
  for (const label of mustHaveEvents(sent)) {
    const made =
      taken.has(label) ||
      (label.revision !== undefined &&
        [...taken].some((one) => one.transactionId === label.transactionId && one.revision === label.revision));
    if (!made) checks.stateEvents.violation(`${labelName(label)} of account ${id} made no state event`);
  }
}

function replayMerchant(
  id: string,
  inputs: readonly AddressInput[],
  known: Known,
  checks: Checks,
  underWay: LabelsUnderWay,
): void {
  const reference = new MerchantReference();
  for (const { position, decision, event } of inOrder(inputs)) {
    if (event !== undefined) {
      checks.stateEvents.looked();
      const settings = settingsOf(known, event.logicVersion, checks.stateEvents, position);
      if (settings === undefined) continue;
      if (event.kind === StateEvent_Kind.REST) {
        sameEvent(event, reference.rest(settings), checks.stateEvents, `rest of merchant ${id}`, position);
        continue;
      }
      if (
        event.function !== MERCHANT_MODEL ||
        event.kind !== StateEvent_Kind.LABEL ||
        !underWay.arrived(event, namesAccounts(settings))
      ) {
        checks.stateEvents.violation(
          `merchant ${id} counted a verdict that no account sent, or counted it twice: ${labelText(event)}`,
          position,
        );
      }
      sameEvent(
        event,
        { eventTimeMs: reference.latestEventTimeMs },
        checks.stateEvents,
        `verdict at merchant ${id}`,
        position,
      );
      reference.verdict(event, settings);
      continue;
    }
    const evidence = decision!().evidence!;
    const { transaction, merchant } = evidence;
    checks.merchantFeatures.looked();
    const settings = settingsOf(known, merchant!.logicVersion, checks.merchantFeatures, position);
    if (settings === undefined) continue;
    const name = `${id} at ${transaction!.accountId} ${transaction!.transactionId}`;
    const expected = reference.transaction(evidence, settings);
    sameBytes(MerchantFeatures, merchant!.features, expected, checks.merchantFeatures, name, position);
    sameMarks(merchant!, reference.marks, checks.merchantFeatures, name, position);
  }
}

/** @returns the account's last `suspicious_seq` */
function checkScore(
  evidence: Evidence,
  scoring: ScoringEvidence | undefined,
  suspicious: bigint,
  known: Known,
  check: PropertyCheck,
  name: string,
  position: string,
): bigint {
  if (scoring === undefined) {
    check.violation(`${name} was decided without a scoring`, position);
    return suspicious;
  }
  const expected = scoringOf(evidence, scoring, known.models);
  if ("unknownModel" in expected) {
    check.violation(
      `${name} was scored by the model ${scoring.modelId || expected.unknownModel}, whose file is not known here`,
      position,
    );
    return suspicious;
  }
  settingsOf(known, scoring.logicVersion, check, position);
  const isSuspicious = expected.outcome === Outcome.REVIEW || expected.outcome === Outcome.DECLINE;
  const next = isSuspicious ? suspicious + 1n : suspicious;
  sameBytes(
    ScoringEvidence,
    scoring,
    { ...expected, suspiciousSeq: isSuspicious ? next : undefined },
    check,
    name,
    position,
  );
  return next;
}

/** Whether a label, as it came, is the one that an event names. A label that came without a revision was given one. */
export const isSourceOf = ({ labelId, revision, transactionId }: FraudLabel, event: StateEvent): boolean =>
  labelId === event.sourceId &&
  (revision ?? event.revision) === event.revision &&
  transactionId === event.transactionId;

/**
 * Labels that no earlier or later one makes stale, and that do not come again: each of these certainly has an event.
 */
function mustHaveEvents(sent: readonly FraudLabel[]): FraudLabel[] {
  const highest = new Map<string, number>();
  const contents = new Set<string>();
  return sent.filter((label) => {
    const content = Buffer.from(FraudLabel.encode({ ...label, origin: undefined }).finish()).toString("base64");
    const before = highest.get(label.transactionId) ?? 0;
    const revision = label.revision ?? before + 1;
    if (revision <= before || contents.has(content)) return false;
    contents.add(content);
    highest.set(label.transactionId, revision);
    return true;
  });
}

/** A label that a function refused. */
interface RefusedLabel {
  readonly label: FraudLabel;
  readonly bytes: string;
  readonly reason: RejectReason;
  readonly position: string;
}

function refusedLabels(rejected: readonly StoredRecord[]): RefusedLabel[] {
  return rejected.flatMap((record) => {
    const { original, reason } = rejectionIn(record) ?? {};
    if (
      original === undefined ||
      reason === undefined ||
      !original.typeUrl.endsWith(`/${FraudLabel.$type}`) ||
      reason === RejectReason.UNREADABLE
    )
      return [];
    return [
      {
        label: FraudLabel.decode(original.value),
        bytes: original.value.toString("base64"),
        reason,
        position: positionText(record),
      },
    ];
  });
}

/**
 * Where the revision is the reason: one at least as high made an event, or it is too high to be a first one. Other
 * reasons are the counter's own rules.
 */
function isRightlyRefused(
  { label: { revision = 0, transactionId }, reason }: RefusedLabel,
  inputs: readonly AddressInput[],
): boolean {
  if (reason === RejectReason.STALE_REVISION)
    return inputs.some(({ event }) => event?.transactionId === transactionId && event.revision >= revision);
  return reason !== RejectReason.REVISION_AHEAD || revision > MAX_REVISION_JUMP;
}

const labelName = ({ labelId, revision }: FraudLabel): string =>
  `label ${labelId}${revision === undefined ? "" : ` revision ${revision}`}`;

function labelsByAccount(
  records: readonly StoredRecord[],
  refused: readonly RefusedLabel[],
): Map<string, FraudLabel[]> {
  const labels = new Map<string, FraudLabel[]>();
  const left = new Map<string, number>();
  for (const { bytes } of refused) left.set(bytes, (left.get(bytes) ?? 0) + 1);
  for (const { value } of records) {
    if (value === null) continue;
    // The same label may come again, and then be accepted.
    const bytes = Buffer.from(value).toString("base64");
    const times = left.get(bytes) ?? 0;
    left.set(bytes, times - 1);
    if (times > 0) continue;
    const label = FraudLabel.decode(value);
    labels.set(label.accountId, [...(labels.get(label.accountId) ?? []), label]);
  }
  return labels;
}

/** An address' inputs in the order in which it handled them. */
export const inOrder = (inputs: readonly AddressInput[]): AddressInput[] =>
  inputs.toSorted((a, b) => (a.eventSeq < b.eventSeq ? -1 : a.eventSeq > b.eventSeq ? 1 : 0));

function settingsOf(
  { versions }: Known,
  name: string,
  check: PropertyCheck,
  position: string,
): LogicSettings | undefined {
  const settings = versions.get(name);
  if (settings === undefined)
    check.violation(`nothing is known of the logic version ${name}; give its settings with --settings`, position);
  return settings;
}

/** From version 6 on a verdict says at its merchant which account's transaction was judged. */
const namesAccounts = ({ codeVersion }: LogicSettings): boolean => codeVersion !== "4" && codeVersion !== "5";

function sameEvent(
  event: StateEvent,
  expected: Partial<StateEvent> | undefined,
  check: PropertyCheck,
  name: string,
  position: string,
): void {
  if (expected === undefined) return check.violation(`${name}: a replay makes no event`, position);
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof StateEvent]]));
  if (!isDeepStrictEqual(found, expected))
    check.violation(`${name}: the event says ${shown(found)}, a replay ${shown(expected)}`, position);
}

function sameBytes<T>(
  type: { encode(message: T): { finish(): Uint8Array } },
  found: T | undefined,
  expected: T,
  check: PropertyCheck,
  name: string,
  position: string,
): void {
  const same = found !== undefined && Buffer.compare(type.encode(found).finish(), type.encode(expected).finish()) === 0;
  if (!same) check.violation(`${name}: the evidence has ${shown(found)}, a replay gives ${shown(expected)}`, position);
}

/** What evidence says besides features. */
function sameMarks<T extends object>(
  evidence: T,
  expected: Partial<T>,
  check: PropertyCheck,
  name: string,
  position: string,
): void {
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, evidence[key as keyof T]]));
  if (!isDeepStrictEqual(found, expected))
    check.violation(
      `${name}: besides features the evidence says ${shown(found)}, a replay ${shown(expected)}`,
      position,
    );
}

/** A message for people. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (key, part: unknown) =>
    key === "_unknownFields" ? undefined : typeof part === "bigint" ? String(part) : part,
  ) ?? "nothing";
