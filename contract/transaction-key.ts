/**
 * What tells transactions apart, as a key: an id is its account's own. Neither of the two may hold the character
 * between them.
 */
export const transactionKey = (accountId: string, transactionId: string): string => `${accountId}\0${transactionId}`;
