/**
 * Does one piece of work in each turn of the event loop, the first at once. So come the first request of a connection,
 * and those that did not wait for an answer: hundreds of them together, of which each takes a tenth of a millisecond,
 * would keep waiting whoever has used a connection before.
 */
export function oneInATurn(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  let busy = false;
  const next = (): void => {
    const work = waiting.shift();
    busy = work !== undefined;
    try {
      work?.();
    } finally {
      if (busy) setImmediate(next);
    }
  };
  return (work) => {
    waiting.push(work);
    if (!busy) next();
  };
}
