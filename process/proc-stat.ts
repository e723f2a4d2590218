import { readFileSync } from "node:fs";

/** The ticks in which Linux counts processor time. */
const TICKS_PER_SECOND = 100;

/** What Linux says of a process or a thread, as far as it is used here. */
export interface ProcStat {
  /** A letter, such as `R`, `S`, `T`, `Z`. */
  readonly state: string;
  readonly group: number;
  readonly cpuSeconds: number;
  /** In units of the system; only ever compared. */
  readonly started: string | undefined;
}

/** Reads the `stat` of a folder such as `/proc/1`. Linux only. @throws when there is no such process or thread */
export function procStat(folder: string): ProcStat {
  // The command's name in parentheses may hold anything; what follows the last ")" is the state, the parent, the group.
  const stat = readFileSync(`${folder}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0]!,
    group: Number(fields[2]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    started: fields[19],
  };
}

/** Processor time as `ps` writes it, `[[hours:]minutes:]seconds`, in seconds. */
export const psSeconds = (time: string): number => time.split(/[-:]/).reduce((sum, part) => sum * 60 + Number(part), 0);
