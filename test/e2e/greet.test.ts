import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../cluster/index.js";
import { greetApplication, greetWithPython, pythonRequirements } from "../../examples/greet/application.js";
import { kafkaClient, Partitioners } from "../../kafka/client.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { Email, Greeting } from "../../protos/gen/demo/v1/greet.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { silentStep } from "../../terminal/steps.js";
import { ensurePythonPackages } from "../../tools/index.js";
import { PATIENCE_MS } from "../patience.js";

const python = await ensurePythonPackages(pythonRequirements, (line) => process.stderr.write(`${line}\n`));
if ("missing" in python) process.stderr.write(`skipped, the Python function: this machine lacks ${python.missing}\n`);

describe.each([
  { language: "TypeScript", application: greetApplication, signature: "" },
  {
    language: "Python",
    application: "missing" in python ? undefined : greetWithPython(python),
    signature: " (sent by Python)",
  },
])("the talk's example, on the cluster, its demo/email_sender in $language", ({ application, signature }) => {
  describe.skipIf(application === undefined)("", () => {
    const settings = clusterSettings({ name: "e2e-greet", portOffset: 16_000, ...(application && { application }) });
    const brokers = endpoints(settings).kafka;
    let cluster: Cluster | undefined;
    beforeAll(async () => {
      cluster = await startCluster(settings, { step: silentStep, restart: false, fresh: true });
    });
    afterAll(async () => {
      await cluster?.stop();
      await stopCluster(settings, { wipe: true });
    });

    it("counts how often it saw a name and sends an e-mail for each time", async () => {
      const emails: Email[] = [];
      const live = await followTopics({
        brokers,
        topics: ["emails"],
        from: "end",
        onRecord: ({ value }) => emails.push(Email.decode(Any.decode(value!).value)),
      });
      const producer = kafkaClient(brokers, "greet").producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      const names = ["ada", "grace", "ada", "ada"];
      await producer.send({
        topic: "greetings",
        messages: names.map((name) => ({ key: name, value: Buffer.from(Greeting.encode({ name }).finish()) })),
      });
      await poll("four e-mails", () => emails.length >= names.length, { timeoutMs: PATIENCE_MS });
      await producer.disconnect();
      await live.stop();
      const to = (address: string) => emails.filter((email) => email.to === address).map(({ text }) => text);
      expect(to("ada@example.com")).toEqual(
        ["Welcome, ada!", "Nice to see you again, ada: visit 2.", "Nice to see you again, ada: visit 3."].map(
          (text) => text + signature,
        ),
      );
      expect(to("grace@example.com")).toEqual([`Welcome, grace!${signature}`]);
    });
  });
});
