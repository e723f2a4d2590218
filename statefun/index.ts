/** A TypeScript SDK for the remote functions of Apache Flink Stateful Functions 3.3. */
export { type AcceptedTypes, type Address, functionType, type MessageOf } from "./address.js";
export { type ApiGatewayEvent, type ApiGatewayResult, lambdaHandler } from "./aws-lambda.js";
export { AnyMessage, type MessageType, pack, typeUrlOf } from "./any.js";
export type { Context, KafkaTarget, KinesisTarget } from "./context.js";
export type { DeadLetterHandler } from "./batch.js";
export {
  RequestError,
  StatefunError,
  type StatefunErrorCode,
  TerminalError,
  UnreadableMessageError,
  WrongTypeError,
} from "./errors.js";
export { drain } from "./drain.js";
export { FRAMING_BYTES } from "./framing.js";
export { expressMiddleware } from "./express.js";
export { nodeHttpListener } from "./http.js";
export { type Logger, RequestReplyHandler, type RequestReplyHandlerOptions } from "./request-reply-handler.js";
export { type Binding, type StatefulFunction, StatefulFunctions } from "./stateful-functions.js";
export type { StateValue } from "./state.js";
export { type Expiration, type StateType, type ValueSpec, valueSpec } from "./value-spec.js";
