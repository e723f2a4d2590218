/** Type names of the functions whose state events others read. They never change: they are in what was written. */
export const ACCOUNT_COUNTER = "fraud/account-counter";
export const MERCHANT_MODEL = "fraud/merchant-model";
