import type { JsonObject } from "../kafka/decode.js";
import { probabilityText, signed } from "../contract/scoring-text.js";
import { amountText } from "../money/amount-text.js";
import type { Hop, SectionResult, Rederivation, Trace } from "./types.js";

/** What each hop is, and what its time was spent on. */
export const HOP_TEXT: Readonly<Record<Hop["name"], string>> = {
  entered: "taken in",
  counted: "intake's write, StateFun's ingress, first call",
  merchant: "to the merchant, and waiting for its turn there",
  scored: "back to the account, and waiting for its turn there",
  written: "to the egress",
  committed: "until the checkpoint completed",
  visible: "until nothing older was open",
  alert: "to the alerter",
};

/** The functions' sections of the evidence, in the order of the way. */
export const SECTIONS = ["account", "merchant", "scoring"] as const;

/** What the derivation of a section came to. */
export const WORDS: Readonly<Record<SectionResult["verdict"], string>> = {
  identical: "byte-identical",
  different: "different",
  "cut-off": "cut off by retention",
  incomplete: "incomplete",
  unknown: "not derivable here",
};

/** Whether it says that something is wrong; what cannot be looked at is not a fault. */
export const isBad = ({ verdict }: Pick<Rederivation, "verdict">): boolean =>
  verdict === "different" || verdict === "incomplete";

/** That it was decided before, or may have been; empty when it was not. */
export function repeatNote({ decision }: Pick<Trace, "decision">): string {
  if (decision === undefined) return "";
  if (decision.earlier.length > 0)
    return `decided before, in ${decision.earlier.join(", ")}: it came again after its account had forgotten it`;
  return decision.possibleRepeat ? "as old as what its account had forgotten: it may have been decided before" : "";
}

/** What became of other records under its id. */
export const againText = ({ decision }: Pick<Trace, "decision">): string =>
  decision !== undefined && decision.earlier.length > 0
    ? "decided before, dropped or refused by the account counter"
    : "dropped or refused by the account counter";

/** A score, and the probability of models that say one. */
export const scoreText = ({ score, probabilityPpm }: { score: number; probabilityPpm: number | undefined }): string =>
  `score ${score}${probabilityPpm === undefined ? "" : `, ${probabilityText(probabilityPpm)} likely fraud`}`;

/** What the challenger said, and whether it agrees; empty when there was none. */
export function challengerText({ decision }: Pick<Trace, "decision">): string {
  if (decision?.challenger === undefined) return "";
  const { modelId, outcome, error } = decision.challenger;
  const said = outcome === "ERROR" ? `ERROR: ${error}` : `${outcome}, ${scoreText(decision.challenger)}`;
  const agrees = outcome === decision.outcome ? "agrees" : "does not agree";
  return `${modelId} says ${said}; it ${agrees}, and changes nothing`;
}

/** UTC, to the millisecond. */
export const time = (ms: number): string => new Date(ms).toISOString().replace("T", " ").replace("Z", "");
export const duration = (ms: number): string => `${ms < 0 ? "−" : "+"}${Math.abs(ms).toLocaleString("en")} ms`;

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const list = (fields: object): string[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    value === null || value === "" ? [] : [`${name} ${shown(value)}`],
  );

const hashed = (name: string, hash: unknown): string[] =>
  typeof hash === "string" ? [`${name} ${Buffer.from(hash, "base64").toString("hex").slice(0, 12)}…`] : [];

const shadowFields = ({ model_hash: hash, ...rest }: JsonObject): string[] =>
  [...list(rest), ...hashed("model_hash", hash)].map((field) => `challenger.${field}`);

/** A section of the evidence on one line, features first; defaults of protobuf are shown, absent values are not. */
export function sectionFields(section: JsonObject | undefined): string[] {
  const {
    features,
    seq,
    event_seq: eventSeq,
    reasons,
    model_hash: hash,
    contributions,
    challenger,
    ...rest
  } = section ?? {};
  const fired =
    Array.isArray(reasons) && reasons.length > 0
      ? [
          `reasons ${reasons.map((reason) => `${shown((reason as JsonObject)["code"])} ${shown((reason as JsonObject)["points"])}`).join(", ")}`,
        ]
      : [];
  return [
    ...(seq === undefined ? [] : [`seq ${shown(seq)}`, `event_seq ${shown(eventSeq)}`]),
    ...(features === undefined || features === null ? [] : list(features as JsonObject)),
    ...fired,
    ...list(rest),
    ...hashed("model_hash", hash),
    ...(Array.isArray(contributions)
      ? contributions.map((one) => {
          const { feature, margin_e6: marginE6 } = one as JsonObject;
          return `contribution ${shown(feature)} ${signed(Number(marginE6))}`;
        })
      : []),
    ...(challenger === undefined || challenger === null ? [] : shadowFields(challenger as JsonObject)),
  ];
}

/** A decoded transaction's amount with its currency. */
export const amountOf = ({ amount_minor: minor, currency }: JsonObject): string =>
  amountText(minor as string, currency as string);
