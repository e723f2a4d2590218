import { hostList } from "../../http/strangers.js";
import { given } from "../../process/environment.js";
import { UserError } from "../../terminal/user-error.js";
import { KILLABLE, startFailureHelper } from "../failure-helper.js";
import { killService } from "./docker-api.js";
import { serviceFailed, serviceVariable } from "./service.js";
import { serviceOf } from "./services.js";

/**
 * The service "failures": the helper of the web app's failure menu where parts are containers. Only it has the engine's
 * socket, and uses it to kill and start the containers of four of its project's services.
 */
async function main(): Promise<void> {
  const env = given();
  const token = env["DASHBOARD_FAILURES_TOKEN"];
  if (token === undefined)
    throw new UserError(
      "DASHBOARD_FAILURES_TOKEN is not set: whoever knows it may kill parts. Make one up: DASHBOARD_FAILURES_TOKEN=$(openssl rand -hex 16) docker compose --profile failures up --wait",
    );
  const project = serviceVariable("failures", "PROJECT");
  const engine = { socket: env["SOCKET"] ?? "/var/run/docker.sock", project };
  const helper = await startFailureHelper({
    host: env["HOST"] ?? "127.0.0.1",
    port: Number(env["PORT"] ?? 8091),
    hosts: hostList(env["FAILURES_HOSTS"] ?? ""),
    token,
    kill: async (part) => {
      const { started } = await killService(engine, serviceOf(part));
      console.log(`killed ${part}`);
      started.then(
        () => console.log(`started ${part} again`),
        (error: unknown) =>
          process.stderr.write(
            `${part} does not start again: ${error instanceof Error ? error.message : String(error)}\n`,
          ),
      );
    },
  });
  console.log(`kills ${KILLABLE.join(", ")} of ${project} for whoever knows the token`);
  const stop = (): void => void helper.close().finally(() => process.exit(0));
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

try {
  await main();
} catch (error) {
  serviceFailed(error);
}
