import type { Admin } from "kafkajs";

import { kafkaClient } from "../../kafka/client.js";

/** Asks a broker whether it serves, over one connection for as long as that answers. */
export class KafkaAnswers {
  readonly #brokers: string;
  #admin: Promise<Admin> | undefined;

  /** @param brokers - `host:port` of a broker */
  constructor(brokers: string) {
    this.#brokers = brokers;
  }

  /** @returns whether it answered; a broker that is stopped may take half a minute for that. Never rejects */
  async ask(): Promise<boolean> {
    const admin = (this.#admin ??= this.#connect());
    try {
      await (await admin).describeCluster();
      return true;
    } catch {
      // Over a new one the next time.
      if (this.#admin === admin) await this.close();
      return false;
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }

  async #connect(): Promise<Admin> {
    const admin = kafkaClient(this.#brokers, "fraud-pipeline-watch", { patient: false }).admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      await admin.disconnect().catch(() => undefined);
      throw error;
    }
  }
}
