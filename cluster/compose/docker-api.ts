import { request } from "node:http";

import { UserError } from "../../terminal/user-error.js";

const ANSWER_MS = 60_000;

/** One compose project, as the engine knows it. */
export interface EngineProject {
  /** Absolute path of the engine's socket. */
  readonly socket: string;
  /** The compose project's name: containers of others are ignored. */
  readonly project: string;
}

/**
 * Kills the containers of a service at once, through the engine's API, and starts each of them again: the engine takes
 * a killed container to be wanted down.
 *
 * @returns when they are killed; `started` when each has been started again
 * @throws {UserError} when none runs, or the engine refuses
 */
export async function killService(
  { socket, project }: EngineProject,
  service: string,
): Promise<{ readonly started: Promise<void> }> {
  const filters = {
    status: ["running"],
    label: [
      `com.docker.compose.project=${project}`,
      `com.docker.compose.service=${service}`,
      "com.docker.compose.oneoff=False",
    ],
  };
  const found = await ask(socket, "GET", `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`);
  const ids = (JSON.parse(found) as { readonly Id: string }[]).map(({ Id }) => Id);
  if (ids.length === 0) throw new UserError(`no container of ${service} runs`);
  await Promise.all(ids.map((id) => ask(socket, "POST", `/containers/${id}/kill?signal=SIGKILL`)));
  return { started: Promise.all(ids.map((id) => startAgain(socket, id))).then(() => undefined) };
}

async function startAgain(socket: string, id: string): Promise<void> {
  // One that has not ended yet would count as already started.
  await ask(socket, "POST", `/containers/${id}/wait?condition=not-running`);
  await ask(socket, "POST", `/containers/${id}/start`);
}

/** @returns the body of what the engine answers. @throws {UserError} with what it says when that is an error */
function ask(socket: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // A new connection each time: one that was kept may be gone if the engine has restarted.
    const asked = request(
      { socketPath: socket, agent: false, method, path, headers: { host: "docker" }, timeout: ANSWER_MS },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          // 304: it is already running.
          if (response.statusCode! < 400) resolve(text);
          else reject(new UserError(`the engine refuses ${method} ${path.split("?")[0]!}: ${messageOf(text)}`));
        });
        response.on("error", reject);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", (error) => reject(new UserError(`the engine at ${socket} does not answer: ${error.message}`)));
    asked.end();
  });
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}
