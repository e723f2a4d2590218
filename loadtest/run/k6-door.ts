import type { RequestListener } from "node:http";

import { noStrangers } from "../../http/strangers.js";

/**
 * What k6 asks when it has sent everything: `POST /verdict` answers with the judgement, as JSON. No page in a browser
 * is answered.
 */
export const k6Door = (judge: () => Promise<object>): RequestListener =>
  noStrangers({ hosts: [], variable: "" }, (request, response) => {
    if (request.method !== "POST" || request.url !== "/verdict") return void response.writeHead(404).end();
    judge().then(
      (judgement) => response.setHeader("content-type", "application/json").end(JSON.stringify(judgement)),
      () => response.writeHead(500).end(),
    );
  });
