import { Agent, get } from "node:http";

import { given } from "../../process/environment.js";

/**
 * Opens `STREAMS` pages' worth of connections to the web app at `DASHBOARD`: each reads what a page reads at first,
 * then follows its event stream. Prints `open` when all are; at SIGTERM its figures as JSON.
 */
const url = given()["DASHBOARD"]!;
const count = Number(given()["STREAMS"]);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
let open = 0;
let ended = 0;
let bytes = 0;
let events = 0;

function read(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url + path, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks).toString())
          : reject(new Error(`status ${response.statusCode} for ${path}`)),
      );
    }).on("error", reject);
  });
}

async function page(): Promise<void> {
  const [alerts] = await Promise.all(["/api/alerts?limit=500", "/api/series", "/api/meta", "/api/verdicts"].map(read));
  const { position } = JSON.parse(alerts!) as { position: string };
  await new Promise<void>((resolve, reject) => {
    get(`${url}/api/stream?after=${position}`, { agent }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode} for a stream`));
      open++;
      resolve();
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        // Each event ends in an empty line.
        for (let at = chunk.indexOf("\n\n"); at >= 0; at = chunk.indexOf("\n\n", at + 2)) events++;
      });
      response.on("close", () => ended++);
    }).on("error", reject);
  });
}

process.once("SIGTERM", () => {
  process.stdout.write(`${JSON.stringify({ open, ended, bytes, events })}\n`, () => process.exit(0));
});
// Not all at once: nobody opens hundreds of pages in the same moment.
for (let n = 0; n < count; n++) await page();
process.stdout.write("open\n");
