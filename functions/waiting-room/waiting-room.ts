import { FetchWaiting, WaitingRequest } from "../../protos/gen/fraud/v1/internal.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";

/** State of `fraud/waiting-room`. */
export const waitingState = valueSpec("waiting", WaitingRequest);

/**
 * `fraud/waiting-room/<account>/<number>`: keeps one transaction for which its account's scorer has no place, until the
 * scorer fetches it. An address for each, since an address's state is shipped with each of its requests.
 */
export function waitingRoom() {
  return (context: Context<readonly [typeof waitingState]>, message: AnyMessage): void => {
    const waiting = context.state("waiting");
    if (message.is(WaitingRequest)) return waiting.pack(WaitingRequest, message.unpack(WaitingRequest));
    message.unpack(FetchWaiting);
    const parked = waiting.unpack(WaitingRequest);
    // The scorer asks for numbers, whether or not they are on their way to it by the other road.
    if (parked === undefined) return;
    waiting.clear();
    context.packAndReply(WaitingRequest, parked);
  };
}
