import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Alert, RejectedRecord, StateEvent } from "../../protos/gen/fraud/v1/evidence.js";
import type { MessageType } from "../../statefun/index.js";
import type { TestRuntime } from "../../statefun/testing/test-runtime.js";

/** All that the pipeline wrote, decoded, each topic in its order. */
export interface WrittenRecords {
  readonly decisions: readonly Decision[];
  readonly events: readonly StateEvent[];
  readonly alerts: readonly Alert[];
  readonly rejected: readonly RejectedRecord[];
}

export function written(runtime: TestRuntime): WrittenRecords {
  const read = <T>(topic: string, type: MessageType<T>) => runtime.kafka(topic).map(({ value }) => value.unpack(type));
  return {
    decisions: read("decisions", Decision),
    events: read("evidence", StateEvent),
    alerts: read("alerts", Alert),
    rejected: read("functions.rejected", RejectedRecord),
  };
}

/** Groups by a key, each group in the order of the items. */
export function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
