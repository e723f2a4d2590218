import type { ComponentChildren } from "preact";

import type { AlertRow, DecisionDetail, Position } from "../../wire.js";
import { dateTime } from "../format.js";
import { traceCommand } from "../shell-word.js";

/** Which records, numbers and versions this rests on: enough to find it all again. */
export function Provenance({ decision, alert }: { decision: DecisionDetail; alert: AlertRow }) {
  const { logicVersions: versions } = decision;
  return (
    <section class="card">
      <h2>Where this comes from</h2>
      <dl class="provenance">
        <Item name="Transaction">
          <code>{decision.transactionId}</code>
        </Item>
        <Item name="Account">
          <code>{decision.account}</code>
        </Item>
        <Item name="Merchant">
          <code>{decision.merchantId}</code>
        </Item>
        <Item name="Model">
          {decision.modelId} <code title={decision.modelHash}>{decision.modelHash.slice(0, 12)}</code>
          {decision.modelStamped ? ", by the transaction's stamp" : ", the function server's own"}
        </Item>
        <Item name="Logic">
          <code>
            {new Set(Object.values(versions)).size === 1
              ? versions.scorer
              : `counter ${versions.account}, merchant ${versions.merchant}, scorer ${versions.scorer}`}
          </code>
        </Item>
        <Item name="Account's numbers">
          transaction {decision.accountSeq}, event {decision.accountEventSeq}
          {decision.suspiciousSeq !== "" && `, suspicious ${decision.suspiciousSeq}`}
          {decision.possibleRepeat &&
            "; it is as old as what the account has forgotten, and may have been decided before"}
        </Item>
        <Item name="Merchant's numbers">
          transaction {decision.merchantSeq}, event {decision.merchantEventSeq}
        </Item>
        <Item name="Alert">
          number {alert.alertSeq} of the account, seen {dateTime(alert.seenAtMs)}
        </Item>
        <Item name="Decision in Kafka">
          <PositionText position={decision.kafka} />
        </Item>
        <Item name="Alert in Kafka">
          <PositionText position={alert.kafka} />
        </Item>
      </dl>
      <TraceSection decision={decision} />
    </section>
  );
}

/** The way of this transaction from record to record. */
function TraceSection({ decision }: { decision: DecisionDetail }) {
  return (
    <div class="trace" id="trace">
      <h3>
        <a
          href={`/trace/${encodeURIComponent(decision.account)}/${encodeURIComponent(decision.transactionId)}`}
          target="_blank"
          rel="noopener"
        >
          Trace it through the topics
        </a>
      </h3>
      <p class="muted">
        Every hop with its time, and the decision derived again by independent code, byte for byte. The page takes some
        seconds; on the command line:
      </p>
      <code class="command">{traceCommand(decision.account, decision.transactionId)}</code>
    </div>
  );
}

function Item({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function PositionText({ position: { topic, partition, offset } }: { position: Position }) {
  return (
    <code>
      {topic} · partition {partition} · offset {offset}
    </code>
  );
}
