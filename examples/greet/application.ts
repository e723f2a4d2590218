import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { type Application, nodeServer } from "../../cluster/settings.js";
import { LIMITS } from "../../contract/limits.js";
import type { TopicSettings } from "../../contract/topics.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import type { PythonPackages } from "../../tools/index.js";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const topic = (name: string): TopicSettings => ({ name, partitions: 2, retentionMs: 86_400_000 });

/** The example as the native cluster runs it. */
export const greetApplication: Application = {
  moduleFile: file("module.yaml"),
  servers: { functions: nodeServer(file("server.ts")) },
  ingressTopics: [{ ...topic("greetings"), batchBytes: LIMITS.recordBytes }],
  outputTopics: [topic("emails")],
};

/** What the Python function needs, for `ensurePythonPackages`. */
export const pythonRequirements = file("python/requirements.txt");

/** The same with a Python function beside the TypeScript one. */
export const greetWithPython = ({ command, env }: PythonPackages): Application => ({
  ...greetApplication,
  moduleFile: file("module-with-python.yaml"),
  servers: {
    ...greetApplication.servers,
    "functions-python": {
      command,
      args: [file("python/email_sender.py")],
      env: { ...env, PROTOS: join(REPOSITORY_ROOT, "protos/gen/messages.binpb") },
    },
  },
});
