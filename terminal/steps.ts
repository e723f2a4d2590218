/** Runs one named step of long work. While it runs it may say what it is at; what it throws is passed on. */
export type Step = <T>(title: string, work: (progress: (line: string) => void) => Promise<T>) => Promise<T>;

/** For tests and programs that need no progress shown. */
export const silentStep: Step = async (_title, work) => await work(() => undefined);
