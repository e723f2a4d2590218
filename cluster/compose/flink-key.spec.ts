import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { childEnv } from "../../process/environment.js";
import { runQuietly } from "../../process/run-command.js";
import { flinkKeySettings, flinkKeystore, makeFlinkKey } from "../parts/flink-key.js";

describe("Flink's key in containers", () => {
  let root: string;
  const key = () => join(root, "key");
  /** A script with folders of this test in place of a container's. */
  function run(script: string, env: Readonly<Record<string, string>> = {}) {
    let text = readFileSync(join(import.meta.dirname, script), "utf8").replace("chown flink:", "ls");
    for (const [place, here] of [
      ["/volumes/flink-key", key()],
      ["/dev/shm/flink-conf", join(root, "copy")],
      ["/docker-entry-point.sh", join(root, "entry.sh")],
      ["/opt/fraud/master.sh", join(root, "master.sh")],
    ] as const)
      text = text.replaceAll(place, here);
    return runQuietly("bash", ["-c", text], childEnv({ FLINK_HOME: join(root, "flink"), ...env }));
  }
  const passwordOf = (): string => readFileSync(join(key(), "password"), "utf8");

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "fraud-flink-sh-"));
    mkdirSync(key());
    mkdirSync(join(root, "flink", "conf"), { recursive: true });
    writeFileSync(join(root, "flink", "conf", "flink-conf.yaml"), "a: b\nc: d");
    writeFileSync(join(root, "flink", "conf", "log4j-console.properties"), "e");
    for (const name of ["entry.sh", "master.sh"])
      writeFileSync(join(root, name), `#!/bin/bash\necho "${name} $FLINK_CONF_DIR"\n`, { mode: 0o755 });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("is missed: then Flink does not start", async () => {
    const { code, output } = await run("flink.sh", { ROLE: "worker" });
    expect(code).toBe(1);
    expect(output).toContain("error: Flink has no key in the volume flink-key. Make it: docker compose up");
    expect(output).not.toContain("entry.sh ");
  });

  it("is made once, as the native one is, and for its owner alone", async () => {
    expect((await run("make-flink-key.sh")).code).toBe(0);
    expect(readdirSync(key()).sort()).toEqual(["flink-key.p12", "password"]);
    for (const file of readdirSync(key())) expect(statSync(join(key(), file)).mode & 0o777, file).toBe(0o600);
    const passphrase = passwordOf();
    expect(passphrase).toMatch(/^[\w-]{32}$/);
    createSecureContext({ pfx: readFileSync(join(key(), "flink-key.p12")), passphrase });
    expect((await run("make-flink-key.sh")).code).toBe(0);
    expect(passwordOf()).toBe(passphrase);
    rmSync(join(key(), "flink-key.p12"));
    expect((await run("make-flink-key.sh")).code).toBe(0);
    expect(passwordOf()).not.toBe(passphrase);
  });

  it.each([
    ["worker", "entry.sh"],
    ["master", "master.sh"],
  ])("comes to the %s in a copy of its settings, which it alone reads", async (role, next) => {
    // Twice: it is started again after it has died.
    for (let time = 0; time < 2; time++)
      expect(await run("flink.sh", { ROLE: role })).toEqual({ code: 0, output: `${next} ${join(root, "copy")}\n` });
    expect(statSync(join(root, "copy")).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(root, "copy", "log4j-console.properties"), "utf8")).toBe("e");
    const [first, second, ...settings] = readFileSync(join(root, "copy", "flink-conf.yaml"), "utf8").split("\n");
    expect([first, second]).toEqual(["a: b", "c: d"]);
    // What the native cluster has in its file, and on its command line.
    const folder = join(root, "native");
    await makeFlinkKey(folder);
    const native = Object.entries(flinkKeySettings(folder)).map(([name, value]) => `${name}: ${value}`);
    for (const store of ["keystore", "truststore"])
      native.push(`security.ssl.internal.${store}: ${flinkKeystore(folder)}`);
    const password = flinkKeySettings(folder)["security.ssl.internal.key-password"]!;
    expect(settings.filter((line) => line !== "").sort()).toEqual(
      native.map((line) => line.replace(password, passwordOf()).replace(folder, key())).sort(),
    );
  });
});
