import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { BLOCK_BYTES, Gathered } from "./gathered.js";

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
beforeAll(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterAll(() => void vi.useRealTimers());
afterEach(() => void vi.restoreAllMocks());

/** Counts the blocks that are made from now on. */
function blocksMade(): () => number {
  let blocks = 0;
  vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((bytes) => {
    blocks++;
    return allocate(bytes);
  });
  return () => blocks;
}
const gather = (pieces: readonly Buffer[]): Gathered => {
  const gathered = new Gathered();
  for (const piece of pieces) gathered.add(piece);
  return gathered;
};

describe("the bytes of a body", () => {
  it("are those of its pieces, whatever their sizes, and stay so when others come", () => {
    const size = fc.constantFrom(0, 1, 100, 4_096, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES);
    const bodies = fc.array(fc.array(size, { maxLength: 12 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(bodies, (all) => {
        let n = 0;
        const sent = all.map((sizes) => sizes.map((bytes) => Buffer.alloc(bytes, ++n)));
        const taken = sent.map((pieces) => {
          const gathered = gather(pieces);
          expect(gathered.length).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
          return gathered.take();
        });
        taken.forEach((bytes, at) => expect(bytes.equals(Buffer.concat(sent[at]!))).toBe(true));
      }),
    );
  });

  it("are not copied when they come in one piece", () => {
    const piece = Buffer.alloc(100_000);
    expect(gather([piece]).take()).toBe(piece);
  });

  it("take room for what has come, and leave it to others when they are taken or given up", () => {
    const made = blocksMade();
    const pieces = Array.from({ length: 64 }, () => Buffer.alloc(BLOCK_BYTES / 4));
    const before = made();
    const [first, second] = [gather(pieces), gather(pieces)];
    const blocks = made() - before;
    expect(blocks).toBeLessThanOrEqual(32);
    first.drop();
    expect(second.take()).toHaveLength(16 * BLOCK_BYTES);
    for (let times = 0; times < 10; times++) {
      const [again, third] = [gather(pieces), gather(pieces)];
      again.drop();
      third.drop();
    }
    expect(made() - before).toBe(blocks);
  });

  it("leave their room to later ones, however many there were, and half of what is free goes again and again", () => {
    const piece = Buffer.alloc(BLOCK_BYTES);
    const blocksOf = (bodies: number): number => {
      const made = blocksMade();
      const all = Array.from({ length: bodies }, () => gather([piece, piece]));
      const blocks = made();
      for (const one of all) one.drop();
      return blocks;
    };
    blocksOf(400);
    expect(blocksOf(400)).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(blocksOf(400)).toBe(400);
    vi.advanceTimersByTime(30_000);
    expect(blocksOf(50)).toBe(0);
    expect(blocksOf(51)).toBe(2);
    vi.advanceTimersByTime(1_000_000);
    expect([blocksOf(1), vi.getTimerCount()]).toEqual([2, 1]);
    vi.advanceTimersByTime(1_000_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("take as much room as they say", () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 100, BLOCK_BYTES, 3 * BLOCK_BYTES + 1), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(sizes, (all) => {
        const made = blocksMade();
        vi.advanceTimersByTime(1_000_000);
        const gathered = gather(all.map((bytes) => Buffer.alloc(bytes)));
        const blocks = made();
        expect(gathered.room).toBe(blocks === 0 ? gathered.length : blocks * BLOCK_BYTES);
        expect(gathered.room).toBeLessThan(gathered.length + BLOCK_BYTES);
        gathered.drop();
        expect(gathered.room).toBe(0);
        vi.restoreAllMocks();
      }),
    );
  });
});
