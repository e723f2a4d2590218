const MAX_LENGTH = 200;
/** The longest text kept of a function's failure, and of its stack. */
const MAX_MESSAGE_LENGTH = 2_000;
const MAX_STACK_LENGTH = 8_000;
// Control and format characters (those that change direction or have no width), lone surrogates, line separators, and
// letters and marks that are drawn as nothing.
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

/** Text that came from elsewhere, for a message or a log: of bounded length, and with nothing invisible in it. */
export function shown(text: string): string {
  return cut(text, MAX_LENGTH).replace(UNSEEN, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** What an error says, of bounded length. */
export const errorText = (error: unknown): string =>
  cut(error instanceof Error ? error.message : String(error), MAX_MESSAGE_LENGTH);

/** An error for a log: unchanged, or cut when it quotes more than a log should hold. */
export function boundedError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? cut(error, MAX_MESSAGE_LENGTH) : error;
  const { name, message, stack = "", cause } = error;
  const boundedCause = cause === undefined ? undefined : boundedError(cause);
  if (message.length <= MAX_MESSAGE_LENGTH && stack.length <= MAX_STACK_LENGTH && boundedCause === cause) return error;
  const bounded = new Error(cut(message, MAX_MESSAGE_LENGTH), { cause: boundedCause });
  bounded.name = name;
  bounded.stack = cut(stack, MAX_STACK_LENGTH);
  return bounded;
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}… (of ${text.length} characters)`;
