import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { BLOCK_BYTES, Gathered } from "./gathered.js";

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
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
const gather = (pieces: readonly Buffer[], maxBytes?: number): Gathered => {
  const gathered = new Gathered(maxBytes);
  for (const piece of pieces) gathered.add(piece);
  return gathered;
};

describe("the bytes of a body", () => {
  it("are those of its pieces, whatever their sizes, and stay so when others come", () => {
    const size = fc.constantFrom(0, 1, 100, 4_096, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES);
    const bodies = fc.array(fc.array(size, { maxLength: 12 }), { minLength: 1, maxLength: 5 });
    const most = fc.constantFrom(undefined, 1_000, 8_192, 100 * BLOCK_BYTES);
    fc.assert(
      fc.property(bodies, most, (all, maxBytes) => {
        let n = 0;
        const sent = all.map((sizes) => sizes.map((bytes) => Buffer.alloc(bytes, ++n)));
        const taken = sent.map((pieces) => {
          const gathered = gather(pieces, maxBytes);
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

  it("leave no more room behind than is kept, however many there were", () => {
    const piece = Buffer.alloc(BLOCK_BYTES);
    const many = Array.from({ length: 300 }, () => gather([piece, piece]));
    for (const one of many) one.drop();
    const made = blocksMade();
    const later = Array.from({ length: 300 }, () => gather([piece, piece]));
    expect(made()).toBe(2 * 300 - 128);
    for (const one of later) one.drop();
  });

  it("take no more room than a body may have", () => {
    const bytes: number[] = [];
    vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((size) => {
      bytes.push(size);
      return allocate(size);
    });
    const pieces = [Buffer.alloc(1_000), Buffer.alloc(1_000)];
    const many = Array.from({ length: 400 }, () => gather(pieces, 8_192));
    for (const one of many) one.drop();
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(400 * 8_192);
    bytes.length = 0;
    for (let n = 0; n < 400; n++) gather(pieces, 8_192);
    expect(bytes).toEqual([]);
  });
});
