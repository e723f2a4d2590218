import { Random } from "../../ingress-generator/random.js";
import { UserError } from "../../terminal/user-error.js";
import { type FaultKind, faultOf, FAULTS } from "./faults.js";

/** Every kind there is. */
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** Whether a kind lasts for minutes. */
export const isLong = (kind: FaultKind): boolean => faultOf(kind).long === true;

/** Whether a kind needs a data folder on a disk of its own: see `small-disk.ts`. */
export const needsOwnDisk = (kind: FaultKind): boolean => faultOf(kind).ownDisk === true;

/** Whether a kind needs a broker with a clock of its own. */
export const needsOwnClock = (kind: FaultKind): boolean => faultOf(kind).ownClock === true;

/** Whether a kind is injected once, after all others. */
export const comesOnce = (kind: FaultKind): boolean => isLong(kind) || needsOwnClock(kind);

/** What `all` means. */
export const ALL_FAULTS: readonly FaultKind[] = FAULT_KINDS.filter((kind) => !comesOnce(kind) && !needsOwnDisk(kind));

/** Kinds by their names, separated by commas, each once. @throws {UserError} for a name that is not one of them */
export function namedFaults(text: string): readonly FaultKind[] {
  const kinds = text.split(",").flatMap((name): readonly FaultKind[] => {
    if (name.trim() === "all") return ALL_FAULTS;
    const kind = FAULT_KINDS.find((one) => one === name.trim());
    if (kind === undefined)
      throw new UserError(`there is no fault ${name.trim()}: there are all, ${FAULT_KINDS.join(", ")}.`);
    return [kind];
  });
  return [...new Set(kinds)];
}

/** Those that can be injected in containers too. */
export const CONTAINER_FAULTS: readonly FaultKind[] = FAULT_KINDS.filter((kind) => faultOf(kind).inContainers === true);

/**
 * The order in which kinds of fault come: drawn by the seed, every kind once before any comes again.
 * A run takes from it as many as fit.
 */
export function* schedule(
  kinds: readonly FaultKind[],
  seed: number,
): Generator<{ readonly kind: FaultKind; readonly pauseMs: number }, never> {
  const random = new Random(seed);
  for (;;) {
    const left = [...kinds];
    while (left.length > 0) {
      const [kind] = left.splice(random.int(0, left.length - 1), 1);
      // Faults come at any time of a checkpoint.
      yield { kind: kind!, pauseMs: random.int(2_000, 5_000) };
    }
  }
}

/** Whether a fault of this kind, begun now, is over before the load is. */
export const fits = (kind: FaultKind, leftMs: number): boolean => faultOf(kind).seconds * 1000 <= leftMs;
