import type { ApiGatewayEvent } from "../aws-lambda.js";

/** The shape of a REST API's event (payload format 1.0), as AWS documents it. */
export function restApiEvent(body: Uint8Array): ApiGatewayEvent {
  const event = {
    resource: "/statefun",
    path: "/statefun",
    httpMethod: "POST",
    headers: {
      "Content-Type": "application/octet-stream",
      Host: "abcdef1234.execute-api.eu-west-1.amazonaws.com",
      "X-Forwarded-Proto": "https",
    },
    multiValueHeaders: { "Content-Type": ["application/octet-stream"] },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      accountId: "123456789012",
      apiId: "abcdef1234",
      httpMethod: "POST",
      identity: { sourceIp: "192.0.2.1", userAgent: "statefun" },
      path: "/prod/statefun",
      protocol: "HTTP/1.1",
      requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
      requestTimeEpoch: 1767225600000,
      resourcePath: "/statefun",
      stage: "prod",
    },
    body: Buffer.from(body).toString("base64"),
    isBase64Encoded: true,
  };
  return event;
}

/** The shape of an HTTP API's or a function URL's event (payload format 2.0), as AWS documents it. */
export function httpApiEvent(body: Uint8Array): ApiGatewayEvent {
  const event = {
    version: "2.0",
    routeKey: "POST /statefun",
    rawPath: "/statefun",
    rawQueryString: "",
    headers: {
      "content-type": "application/octet-stream",
      host: "abcdef1234.execute-api.eu-west-1.amazonaws.com",
      "content-length": String(body.length),
    },
    requestContext: {
      accountId: "123456789012",
      apiId: "abcdef1234",
      domainName: "abcdef1234.execute-api.eu-west-1.amazonaws.com",
      http: { method: "POST", path: "/statefun", protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "statefun" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "POST /statefun",
      stage: "$default",
      timeEpoch: 1767225600000,
    },
    body: Buffer.from(body).toString("base64"),
    isBase64Encoded: true,
  };
  return event;
}
