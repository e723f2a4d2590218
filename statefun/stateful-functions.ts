import type { AnyMessage } from "./any.js";
import { splitTypename } from "./address.js";
import type { Context } from "./context.js";
import { StatefunError } from "./errors.js";
import type { ValueSpec } from "./value-spec.js";

/**
 * Handles one message. What it throws fails the whole batch, and StateFun calls again with the same messages: throw
 * only when another attempt may succeed.
 */
export type StatefulFunction<States extends readonly ValueSpec[] = readonly ValueSpec[]> = (
  context: Context<States>,
  message: AnyMessage,
) => void | Promise<void>;

/** A function, bound. */
export interface Binding {
  readonly typename: string;
  readonly run: StatefulFunction;
  readonly states: readonly ValueSpec[];
}

/** The functions that one endpoint serves. */
export class StatefulFunctions {
  readonly #bindings = new Map<string, Binding>();

  /**
   * Binds a function to its type name.
   *
   * @param typename - `namespace/type`, as `module.yaml` and other functions' addresses call it; or `namespace/*` for
   *   every type in the namespace without its own binding
   * @throws {StatefunError} `INVALID_BINDING` when the name is taken or a state name is declared twice
   */
  bind<const States extends readonly ValueSpec[] = readonly []>(
    typename: string,
    run: StatefulFunction<States>,
    options: { readonly states?: States } = {},
  ): this {
    splitTypename(typename);
    const states: readonly ValueSpec[] = options.states ?? [];
    if (this.#bindings.has(typename)) throw new StatefunError("INVALID_BINDING", `${typename} is bound already`);
    if (new Set(states.map(({ name }) => name)).size !== states.length)
      throw new StatefunError("INVALID_BINDING", `${typename} declares a state twice`);
    this.#bindings.set(typename, { typename, run: run, states });
    return this;
  }

  /** The binding of a type name, or of its whole namespace; `undefined` when there is none. */
  find(typename: string): Binding | undefined {
    return this.#bindings.get(typename) ?? this.#bindings.get(`${typename.slice(0, typename.lastIndexOf("/"))}/*`);
  }

  /** What is bound, for messages. */
  get typenames(): string[] {
    return [...this.#bindings.keys()];
  }
}
