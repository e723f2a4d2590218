/** Type names of the functions: their addresses in `module.yaml`, and in what they write. They never change. */
export const ACCOUNT_COUNTER = "fraud/account-counter";
export const MERCHANT_MODEL = "fraud/merchant-model";
export const TRANSACTION_SCORER = "fraud/transaction-scorer";
export const ALERTER = "fraud/alerter";
