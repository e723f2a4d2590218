import { fileURLToPath } from "node:url";

import type { Application, TopicSettings } from "../../cluster/settings.js";

const topic = (name: string): TopicSettings => ({ name, partitions: 2, retentionMs: 86_400_000 });

/** The example as the native cluster runs it. */
export const greetApplication: Application = {
  moduleFile: fileURLToPath(new URL("module.yaml", import.meta.url)),
  serverFile: fileURLToPath(new URL("server.ts", import.meta.url)),
  ingressTopics: [topic("greetings")],
  outputTopics: [topic("emails")],
};
