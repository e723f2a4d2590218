/** One partition where strangers write. */
export interface KeptLog {
  readonly topic: string;
  readonly partition: number;
  /** Of its first record that is kept. */
  readonly begin: bigint;
  /** Of its next record. */
  readonly end: bigint;
  /** As the broker tells: of whole segments, the one that holds {@link begin} among them. */
  readonly bytes: number;
  /** At most so large is a segment. */
  readonly segmentBytes: number;
  /** How many bytes of it are to be kept; undefined: all. */
  readonly boundBytes: number | undefined;
}

/** What a log's records weigh is an estimate: so much of them stays at each cut, and then the broker is asked again. */
export const LEAST_KEPT = 0.5;

/** Whether a log is larger than it should be, once the broker has freed all that it can. */
export const isOverBound = (log: KeptLog): boolean =>
  log.boundBytes !== undefined && sureBytes(log) > log.boundBytes && log.end > log.begin;

/**
 * The offset before which records of a log can go; undefined: none can. What stays has at least the bound's bytes where
 * all records are of one size, and at least {@link LEAST_KEPT} of the records in any case.
 *
 * @param log - whose segments without kept records the broker has removed
 * @param taken - the offset that the doors have committed: what is before it was taken in
 */
export function cutOf(log: KeptLog, taken: bigint): bigint | undefined {
  if (!isOverBound(log)) return undefined;
  const sure = sureBytes(log);
  const share = Math.min((sure - log.boundBytes!) / sure, 1 - LEAST_KEPT);
  const wanted = log.begin + BigInt(Math.floor(Number(log.end - log.begin) * share));
  const offset = wanted < taken ? wanted : taken;
  return offset > log.begin ? offset : undefined;
}

/** The first segment stays as long as it holds a single record that is kept: nearly all of it may be gone already. */
const sureBytes = ({ bytes, segmentBytes }: KeptLog): number => bytes - segmentBytes;
