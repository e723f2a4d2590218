import { TOPICS } from "../../contract/topics.js";
import { Alert } from "../../protos/gen/fraud/v1/evidence.js";
import { AlerterState, CloseEpisode, SuspiciousDecision } from "../../protos/gen/fraud/v1/internal.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";
import { KAFKA_EGRESS } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { onSuspicious, onTimer } from "./episodes.js";

/** State of `fraud/alerter`. */
export const alerterState = valueSpec("alerter", AlerterState);

/** `fraud/alerter/<account>`: turns the account's suspicious decisions into alerts, one episode per burst. */
export function alerter(dependencies: Dependencies) {
  const { settings, logicVersion, metrics, now } = dependencies;

  return (context: Context<readonly [typeof alerterState]>, message: AnyMessage): void => {
    const state = context.state("alerter").unpack(AlerterState) ?? AlerterState.fromPartial({});

    if (message.is(CloseEpisode)) {
      const alert = onTimer(state, message.unpack(CloseEpisode));
      if (alert === "later") startTimer();
      else if (alert !== undefined) emit(alert);
      else return;
    } else {
      const episode = state.episode;
      for (const alert of onSuspicious(state, message.unpack(SuspiciousDecision), settings.alerter)) emit(alert);
      if (state.episode !== episode) startTimer();
    }
    context.state("alerter").pack(AlerterState, state);

    function startTimer(): void {
      context.packAndSendAfter(settings.alerter.closeAfterMs, context.address, CloseEpisode, {
        episode: state.episode,
        lastSuspiciousSeq: state.lastSuspiciousSeq,
      });
    }

    function emit(alert: Alert): void {
      metrics.alerted(alert.kind);
      const { id } = context.address;
      alert.alertId = `${id}/${alert.alertSeq}`;
      alert.accountId = id;
      alert.logicVersion = logicVersion;
      alert.raisedAtMs = now();
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.alerts.name, key: id }, Alert, alert);
    }
  };
}
