import { createHash } from "node:crypto";

import type { FastifyReply, FastifyRequest } from "fastify";

import { html, PAGE_STYLE, pageText } from "../../../terminal/html.js";
import { tracePage } from "../../../trace/page.js";
import type { Tracer } from "../tracer.js";

/** The page's own style, by its hash, and nothing else. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(PAGE_STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Answers with one transaction's trace as a page: the same that `npm run trace` writes. */
export async function showTrace(
  { params }: FastifyRequest,
  reply: FastifyReply,
  tracer: Pick<Tracer, "trace">,
): Promise<void> {
  const { account, transaction } = params as { readonly account: string; readonly transaction: string };
  const answer = await tracer.trace(account, transaction);
  const title = `Transaction ${transaction}`;
  const body =
    answer.status === 200 ? tracePage(answer.trace) : html`<h1>${title}</h1><p>There is no trace: ${answer.error}</p>`;
  await reply
    .code(answer.status)
    .header("content-security-policy", POLICY)
    .header("cache-control", "no-store")
    .type("text/html; charset=utf-8")
    .send(pageText(title, body));
}
