import { RequestError } from "./errors.js";
import { answer, CONTENT_TYPE } from "./http.js";
import type { RequestReplyHandler } from "./request-reply-handler.js";

/** The parts of what API Gateway hands to a Lambda function that are used here: payload format 1.0 or 2.0. */
export interface ApiGatewayEvent {
  /** Format 1.0 has the method here, */
  readonly httpMethod?: string;
  /** and format 2.0 (also Lambda's function URLs) here. */
  readonly requestContext?: { readonly stage?: string; readonly http?: { readonly method?: string } };
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** The response that both formats accept. */
export interface ApiGatewayResult {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** An AWS Lambda handler for API Gateway's payload formats 1.0 and 2.0, and for function URLs: single calls. */
export function lambdaHandler(handler: RequestReplyHandler): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
  return (event) => answerEvent(handler, event);
}

async function answerEvent(handler: RequestReplyHandler, event: ApiGatewayEvent): Promise<ApiGatewayResult> {
  const text = event.body ?? "";
  const contentType = header(event, "content-type");
  const method = event.httpMethod ?? event.requestContext?.http?.method;
  if (method === "POST" && text !== "" && event.isBase64Encoded !== true) {
    // Bytes that have been turned into text and back are no longer the same.
    const failure = new RequestError(
      "MALFORMED_REQUEST",
      415,
      `the body came as text: add ${CONTENT_TYPE} to the API's binary media types`,
    );
    handler.options.logger.error({ code: failure.code, status: failure.status }, failure.message);
    return {
      statusCode: failure.status,
      headers: { "content-type": "text/plain; charset=utf-8" },
      body: `${failure.message}\n`,
      isBase64Encoded: false,
    };
  }
  const { status, headers, body } = await answer(handler, { method, contentType, body: Buffer.from(text, "base64") });
  const base64 = typeof body !== "string";
  return {
    statusCode: status,
    headers: { ...headers },
    body: base64 ? Buffer.concat(body).toString("base64") : body,
    isBase64Encoded: base64,
  };
}

/** Format 1.0 keeps the client's capitalisation; 2.0 is all lower case. */
function header({ headers }: ApiGatewayEvent, name: string): string | undefined {
  return Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
}
