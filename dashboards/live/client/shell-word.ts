/**
 * A word for a shell's command line. Ids come from whoever sends transactions: one that is pasted must stay a word,
 * whatever it holds.
 */
const shellWord = (text: string): string =>
  /^[\w.:@/][\w.:@/-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What traces a transaction through the topics. */
export function traceCommand(account: string, transactionId: string): string {
  // What begins with a dash would be taken for an option.
  return `npm run trace -- --account=${shellWord(account)} ${transactionId.startsWith("-") ? "-- " : ""}${shellWord(transactionId)}`;
}
