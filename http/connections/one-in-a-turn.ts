/**
 * Does one piece of work in each turn of the event loop. So come the first request of a connection, and those that did
 * not wait for an answer: hundreds of them together, of which each takes a tenth of a millisecond, would keep waiting
 * whoever has used a connection before. So end connections that hold no HTTP.
 *
 * @param first - when a piece of work is done before which there is none: `at once`, or in the next turn
 */
export function oneInATurn(first: "at once" | "next turn" = "at once"): (work: () => void) => void {
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
    if (busy) return;
    busy = true;
    if (first === "at once") next();
    else setImmediate(next);
  };
}
