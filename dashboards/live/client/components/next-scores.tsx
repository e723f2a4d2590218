import { amountText } from "../../../../money/amount-text.js";
import type { AlertDetail, DecisionPoint, NextScores } from "../../wire.js";
import { reasonWords } from "../format.js";
import { store } from "../store.js";
import { VERDICT_WORDS } from "./verdict-badge.js";

/** What the verdict did to the next decisions of the account and of the merchant. */
export function NextScoresPanel({ next: { verdict, account, merchant } }: { next: NonNullable<AlertDetail["next"]> }) {
  return (
    <section class="card next" aria-label="Since the verdict">
      <h2>Since the verdict "{VERDICT_WORDS[verdict.verdict]}"</h2>
      <div class="two even">
        <Side
          title="The account"
          scores={account}
          frauds={(point) => point.accountFrauds}
          waiting="The account has not used its card since."
          id="account"
        />
        {verdict.merchantEffect === null ? (
          <div class="side">
            <h3>The merchant</h3>
            <p class="muted">This verdict changes no count at the merchant.</p>
          </div>
        ) : (
          <Side
            title="The merchant"
            scores={merchant}
            frauds={(point) => point.merchantFrauds}
            waiting="Nobody has paid there since."
            id="merchant"
          />
        )}
      </div>
    </section>
  );
}

function Side({
  title,
  scores: { before, after },
  frauds,
  waiting,
  id,
}: {
  title: string;
  scores: NextScores;
  frauds: (point: DecisionPoint) => number;
  waiting: string;
  id: string;
}) {
  return (
    <div class="side" data-side={id}>
      <h3>{title}</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">Transaction</th>
            <th scope="col" class="number" title="Confirmed frauds that it saw">
              Frauds
            </th>
            <th scope="col" class="number">
              Score
            </th>
          </tr>
        </thead>
        <tbody>
          {before !== null && <Line point={before} frauds={frauds(before)} change={undefined} last />}
          {after.map((point) => (
            <Line
              key={`${point.account}/${point.transactionId}`}
              point={point}
              frauds={frauds(point)}
              change={
                before === null
                  ? undefined
                  : { frauds: frauds(point) - frauds(before), score: point.score - before.score }
              }
            />
          ))}
        </tbody>
      </table>
      {after.length === 0 && <p class="muted waiting">{waiting} The next decision appears here.</p>}
    </div>
  );
}

function Line({
  point,
  frauds,
  change,
  last = false,
}: {
  point: DecisionPoint;
  frauds: number;
  change: { readonly frauds: number; readonly score: number } | undefined;
  last?: boolean;
}) {
  return (
    <>
      <tr class={last ? "before" : "after"}>
        <td>
          {amountText(point.amountMinor, point.currency)}{" "}
          <span class="muted">{last ? "the last one before" : `at ${point.merchantName || point.merchantId}`}</span>
        </td>
        <td class="number">
          {frauds} <Change by={change?.frauds} />
        </td>
        <td class="number">
          <b>{point.score}</b> <Change by={change?.score} />
        </td>
      </tr>
      {point.reasons.length > 0 && (
        <tr class={`why ${last ? "last" : ""}`}>
          <td colSpan={3}>
            {point.reasons
              .map(({ code, points }) => `+${points} ${reasonWords(code, store.meta?.reasons ?? {})}`)
              .join(" · ")}
          </td>
        </tr>
      )}
    </>
  );
}

function Change({ by }: { by: number | undefined }) {
  if (by === undefined || by === 0) return null;
  return <span class={`change ${by > 0 ? "up" : "down"}`}>{by > 0 ? `+${by}` : `−${-by}`}</span>;
}
