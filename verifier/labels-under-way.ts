import type { StateEvent } from "../protos/gen/fraud/v1/evidence.js";

interface Verdict {
  readonly accountId: string;
  /** Of the account's event. */
  readonly position: string;
  /** Whether the account told the merchant who it is: from version 6 on. */
  readonly isNamed: boolean;
}

/** Confirmed frauds, or frauds taken back, on their way from an account to its merchant. */
export class LabelsUnderWay {
  readonly #byName = new Map<string, Verdict[]>();

  /** @param isNamed - whether the account's code tells the merchant which account it is */
  sent(event: StateEvent, accountId: string, isNamed: boolean, position: string): void {
    const name = nameOf(event);
    const others = (this.#byName.get(name) ?? []).filter((one) => one.accountId !== accountId);
    this.#byName.set(name, [...others, { accountId, position, isNamed }]);
  }

  /**
   * @param isNaming - whether the merchant's code says which account it was
   * @returns whether an account has sent it, and it was not counted yet
   */
  arrived(event: StateEvent, isNaming: boolean): boolean {
    const verdicts = this.#byName.get(nameOf(event)) ?? [];
    const at = verdicts.findIndex(
      ({ accountId, isNamed }) => event.accountId === (isNamed && isNaming ? accountId : ""),
    );
    if (at === -1) return false;
    verdicts.splice(at, 1);
    return true;
  }

  /** What has not arrived. */
  *rest(): Generator<{ readonly name: string; readonly position: string }> {
    for (const [name, verdicts] of this.#byName)
      for (const { accountId, position } of verdicts) yield { name: `${name} of account ${accountId}`, position };
  }
}

const nameOf = ({ sourceId, revision, transactionId, fraudDelta, effectiveAtMs }: StateEvent): string =>
  `${sourceId} revision ${revision} on ${transactionId}: ${fraudDelta} at ${effectiveAtMs}`;

/** As a violation names it. */
export const labelText = (event: StateEvent): string => `${nameOf(event)} of account ${event.accountId || "unknown"}`;
