/** The transactions before `end` of each customer or terminal, one after the other, each in the order of time. */
export function* byId(ids: Uint16Array, end: number): Generator<Uint32Array, void, void> {
  const offsets = new Uint32Array(ids.reduce((highest, id) => Math.max(highest, id), 0) + 2);
  for (let at = 0; at < end; at++) offsets[ids[at]! + 1]!++;
  for (let id = 1; id < offsets.length; id++) offsets[id]! += offsets[id - 1]!;
  const next = offsets.slice();
  const members = new Uint32Array(end);
  for (let at = 0; at < end; at++) members[next[ids[at]!]!++] = at;
  for (let id = 0; id + 1 < offsets.length; id++) yield members.subarray(offsets[id], offsets[id + 1]);
}
