/** A record of a fetch answer, as kafkajs has parsed it. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

/** An entry of the broker's list of aborted transactions that touch the fetched range. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/**
 * Removes what aborted transactions wrote from one fetch answer. Control records stay: kafkajs needs their offsets, and
 * hides them itself.
 *
 * kafkajs 2.2.4 delivers aborted records: it takes the broker's list as sorted, takes one entry off it a message, and
 * takes a data record with key `00000000` for a marker. Kafka promises no order of the list, and StateFun's many
 * producers open transactions side by side.
 */
export function filterAborted<M extends FetchedMessage>({
  messages,
  abortedTransactions,
}: {
  messages: readonly M[];
  abortedTransactions?: readonly AbortedTransaction[] | null | undefined;
}): M[] {
  if (!abortedTransactions?.length) return [...messages];
  const pending = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0));
  const aborted = new Set<string>();
  let next = 0;
  return messages.filter((message) => {
    const offset = BigInt(message.offset);
    for (let entry = pending[next]; entry !== undefined && entry.firstOffset <= offset; entry = pending[++next])
      aborted.add(entry.producerId);
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) {
      if (isAbortMarker(message)) aborted.delete(producerId);
      return true;
    }
    return !(inTransaction && aborted.has(producerId));
  });
}

/** A control record's key is a version (int16) and a type (int16): 0 ends a transaction by abort, 1 by commit. */
function isAbortMarker({ key }: FetchedMessage): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
