import cluster, { type Worker } from "node:cluster";
import { readFileSync } from "node:fs";

import { given } from "../process/environment.js";
import { surviveFullDisk } from "../process/full-disk.js";

/** How long an outgoing worker has to finish its answers. */
const DRAIN_LIMIT_MS = 30_000;
const RESTART_MS = 250;

/**
 * Serves a module in a worker process, and replaces that process without an interruption.
 *
 * Run it with the module's path as its argument. On SIGHUP a new worker starts, with the environment that the file
 * `ROLLING_ENV` (JSON) now holds; when it listens, the old one gets a SIGTERM, on which a server drains: it takes no
 * more connections, and ends with the last of those that it has. A worker that dies is replaced. SIGTERM stops all.
 */
function main(): void {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error("give the module to serve");
  surviveFullDisk();
  cluster.setupPrimary({ exec: file, args: [] });
  let current = fork();
  let stopping = false;

  cluster.on("exit", (worker, code) => {
    if (stopping) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(0);
    } else if (worker === current) {
      process.stderr.write(`the worker ended (exit code ${code}): it is started again\n`);
      setTimeout(() => (current = fork()), RESTART_MS);
    }
  });
  process.on("SIGHUP", () => {
    const next = fork();
    next.once("listening", () => {
      process.stderr.write(`worker ${next.process.pid} serves; worker ${current.process.pid} drains\n`);
      drain(current);
      current = next;
    });
  });
  const stop = (): void => {
    stopping = true;
    const workers = Object.values(cluster.workers ?? {});
    if (workers.length === 0) process.exit(0);
    for (const worker of workers) worker?.process.kill("SIGTERM");
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function fork(): Worker {
  const file = given()["ROLLING_ENV"];
  return cluster.fork(file === undefined ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>));
}

function drain(worker: Worker): void {
  const timer = setTimeout(() => worker.process.kill("SIGKILL"), DRAIN_LIMIT_MS);
  worker.once("exit", () => clearTimeout(timer));
  worker.process.kill("SIGTERM");
}

main();
