/** What the app's own page sends with whatever has an effect. */
export const OWN = { "x-dashboard-action": "1", "content-type": "application/json" };

/** A verdict on a transaction of which the app knows. */
export const VERDICT = {
  accountId: "a",
  transactionId: "t1",
  verdict: "FRAUD",
  note: "two\nlines",
  analyst: "ada",
};
