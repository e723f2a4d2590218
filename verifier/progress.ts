const EVERY_MS = 2_000;

/** Passes on a line every two seconds at most: for events too frequent to be read. */
export function nowAndThen(onProgress: ((line: string) => void) | undefined): (line: () => string) => void {
  let lastMs = Date.now();
  return (line) => {
    if (onProgress === undefined || Date.now() - lastMs < EVERY_MS) return;
    lastMs = Date.now();
    onProgress(line());
  };
}
