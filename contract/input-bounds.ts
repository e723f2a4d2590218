/*
 * What an input may hold at most. The intake refuses what is beyond; whoever makes inputs, such as the web app, keeps
 * within.
 */

/** Bytes of UTF-8. An id is part of every message about it, and of state. */
export const MAX_ID_BYTES = 128;
/** Bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;
/** Bytes of UTF-8 of what an analyst writes about a verdict. */
export const MAX_NOTE_BYTES = 1024;
/**
 * In minor units of any currency: ten million million rials, which are ten million dollars, and a hundred thousand
 * million unidades de fomento. Below 2^53, so that a JSON number holds it exactly.
 */
export const MAX_AMOUNT_MINOR = 1_000_000_000_000_000n;
