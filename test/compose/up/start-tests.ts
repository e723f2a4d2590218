import { createServer } from "node:net";

import { expect, it } from "vitest";

import { removeProject } from "../../../cluster/compose/compose-cluster.js";
import { dockerOk } from "../../../cluster/compose/docker.js";
import { compose, flink, project, settings } from "./up-project.js";

/** How it starts, and with what. */
export function startTests(): void {
  it("has a file that compose accepts without a warning", async () => {
    const { code, stdout, stderr } = await compose("--profile", "*", "config");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toMatch(/:latest|published: "\d+"\n\s+host_ip: (?!127\.0\.0\.1)/);
  });

  it("says which port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve, reject) =>
      other.once("error", reject).listen(settings.ports.kafka, "127.0.0.1", resolve),
    );
    try {
      const { code, stderr } = await compose("up", "--detach", "kafka");
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        new RegExp(`127\\.0\\.0\\.1:${settings.ports.kafka}.*(address already in use|port is already allocated)`),
      );
    } finally {
      other.close();
    }
    await removeProject(project, { volumes: true });
  });

  it("is up, and the job runs", async () => {
    const { code, stderr } = await compose("up", "--detach", "--wait");
    expect(code, stderr).toBe(0);
    expect(await flink.jobState()).toBe("RUNNING");
  });

  it("is up, and the job runs", async () => {
    const { code, stderr } = await compose("up", "--detach", "--wait");
    expect(code, stderr).toBe(0);
    expect(await flink.jobState()).toBe("RUNNING");
  });

  it("lets nobody change its secrets, and none but those who must read them", async () => {
    const look = `
      const { readdirSync, statSync } = require("node:fs");
      const one = (path) => { const { uid, mode } = statSync(path); return [path, { uid, mode: (mode & 0o7777).toString(8) }]; };
      console.log(JSON.stringify(Object.fromEntries(["keys", "prometheus-login"].flatMap((volume) =>
        readdirSync("/volumes/" + volume, { recursive: true }).map((file) => one("/volumes/" + volume + "/" + file))))));`;
    const { code, stdout, stderr } = await compose("run", "--rm", "--no-deps", "-T", "keys", "node", "-e", look);
    expect(code, stderr).toBe(0);
    const files = Object.entries(JSON.parse(stdout) as Readonly<Record<string, { uid: number; mode: string }>>);
    // As whom MinIO and this repository's services run; Flink, Prometheus and Grafana run as others.
    expect(files.filter(([, { uid }]) => uid !== 1000)).toEqual([]);
    expect(files.filter(([, { mode }]) => mode === "600").map(([path]) => path)).toEqual([
      "/volumes/keys/minio.env",
      "/volumes/keys/object-store-keys.json",
    ]);
    expect(files.filter(([, { mode }]) => mode !== "600")).toEqual(
      ["/volumes/keys/aws-credentials", "/volumes/prometheus-login/password", "/volumes/prometheus-login/web.yml"].map(
        (path) => [path, { uid: 1000, mode: "644" }],
      ),
    );
    // In volumes that only these mount: docker-compose.yml names them.
    const mount = async (volume: string): Promise<string[]> =>
      (await dockerOk(["ps", "--all", "--filter", `volume=${project.name}_${volume}`, "--format", "{{.Names}}"]))
        .trim()
        .split("\n")
        .map((name) => name.replace(`${project.name}-`, "").replace(/-\d+$/, ""))
        .sort();
    expect(await mount("keys")).toEqual(["init", "keys", "master", "minio", "tidy", "worker"]);
    expect(await mount("flink-key")).toEqual(["flink-key", "master", "worker"]);
    expect(await mount("prometheus-login")).toEqual(["keys", "prometheus"]);
  });
}
