import { Random } from "../../../ingress-generator/random.js";
import type { Command, Program } from "../../../protos/gen/statefun/testing/v1/program.js";

const FUNCTION = "smoke/function";
const EGRESS = { egress: "smoke/kafka", topic: "smoke.out" };
const MAX_DEPTH = 3;
/** Far beyond the end of the test: such a message must never arrive, because it is taken back at once. */
const NEVER_MS = 3_600_000;

/**
 * What must come out of a set of programs, in whatever order they run and however often parts of them are repeated.
 */
export interface Expected {
  /** How many times each address counts. */
  readonly counts: Map<string, bigint>;
  /** Keys of records written, once each. */
  readonly keys: Set<string>;
  commands: number;
}

/** Seeded random programs, and their expected results, worked out without StateFun. */
export class SmokePrograms {
  readonly expected: Expected = { counts: new Map(), keys: new Set(), commands: 0 };
  readonly #random: Random;
  readonly #addresses: number;

  constructor(seed: number, addresses: number) {
    this.#random = new Random(seed);
    this.#addresses = addresses;
  }

  /** The next program, for the address that it is keyed by. */
  next(): { readonly address: string; readonly program: Program } {
    const address = this.#address();
    return { address, program: this.#program(address, undefined, 0) };
  }

  #address(): string {
    return `n${this.#random.int(1, this.#addresses)}`;
  }

  /** A program that will run at `self`, sent by `caller`; what it does is added to what is expected. */
  #program(self: string, caller: string | undefined, depth: number): Program {
    const commands: Command[] = [];
    for (let left = this.#random.int(1, 5); left > 0; left--) commands.push(...this.#commands(self, caller, depth));
    this.expected.commands += commands.length;
    return { commands };
  }

  #commands(self: string, caller: string | undefined, depth: number): Command[] {
    const kind = this.#random.int(0, 9);
    const nested = depth < MAX_DEPTH;
    if (nested && kind <= 2) {
      const id = this.#address();
      return [
        { command: { $case: "send", value: { typename: FUNCTION, id, program: this.#program(id, self, depth + 1) } } },
      ];
    }
    if (nested && kind === 3 && caller !== undefined)
      return [{ command: { $case: "reply", value: { program: this.#program(caller, self, depth + 1) } } }];
    if (nested && kind === 4) {
      const id = this.#address();
      return [
        {
          command: {
            $case: "sendAfter",
            value: {
              typename: FUNCTION,
              id,
              delayMs: this.#random.int(0, 5_000),
              token: "",
              program: this.#program(id, self, depth + 1),
            },
          },
        },
      ];
    }
    if (kind === 5) {
      // Sent late and taken back: its program must not run, so it is not expected.
      const token = `token-${this.expected.commands}-${this.#random.int(0, 1e9)}`;
      const program: Program = {
        commands: [{ command: { $case: "toKafka", value: { ...EGRESS, key: `cancelled ${token}`, state: "kept" } } }],
      };
      return [
        {
          command: {
            $case: "sendAfter",
            value: { typename: FUNCTION, id: this.#address(), delayMs: NEVER_MS, token, program },
          },
        },
        { command: { $case: "cancelDelayed", value: { token } } },
      ];
    }
    if (kind === 6) {
      const key = `record ${this.expected.keys.size}`;
      this.expected.keys.add(key);
      return [{ command: { $case: "toKafka", value: { ...EGRESS, key, state: "kept" } } }];
    }
    this.expected.counts.set(self, (this.expected.counts.get(self) ?? 0n) + 1n);
    return [{ command: { $case: "increment", value: { name: "kept" } } }];
  }
}

/** Asks an address for its count: it writes a record under this key. */
export const question = (key: string): Program => ({
  commands: [{ command: { $case: "toKafka", value: { ...EGRESS, key, state: "kept" } } }],
});
