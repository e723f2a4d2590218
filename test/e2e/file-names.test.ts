import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { formatKafkaStorage } from "../../cluster/kafka-storage.js";
import { flinkKeystore, makeFlinkKey } from "../../cluster/parts/flink-key.js";
import { partProgram } from "../../cluster/parts/index.js";
import { clusterSettings, type ClusterSettings } from "../../cluster/settings.js";
import { childEnv, javaEnv } from "../../process/environment.js";
import { runQuietly, startProgram } from "../../process/run-command.js";
import { cacheDir } from "../../tools/cache-folder.js";

/** All at once: what one parser splits, another takes literally. */
const NAME = ` a b 100%41 #1 [x] ?q=1&r;+ 'it' "that" back\\slash café 日本 $HOME \${x} *~@ `;

/**
 * What each part's own parsers make of the configuration that is written for it: one line each, in order, among what
 * they log.
 */
const PROGRAM = `
  import java.io.*; import java.net.URL; import java.nio.charset.StandardCharsets; import java.util.*;
  import org.apache.flink.configuration.Configuration;
  import org.apache.flink.core.fs.FileSystemFactory;
  import org.apache.flink.core.plugin.PluginUtils;
  import org.apache.flink.runtime.net.SSLUtils;
  import org.apache.flink.runtime.taskexecutor.TaskManagerRunner;
  import org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.quorum.QuorumPeerConfig;
  import org.apache.logging.log4j.LogManager;
  import org.apache.logging.log4j.core.LoggerContext;
  public class Parsers {
    public static void main(String[] args) throws Exception {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      Properties zookeeper = new Properties();
      try (InputStream in = new FileInputStream(args[0])) { zookeeper.load(in); }
      QuorumPeerConfig peer = new QuorumPeerConfig();
      peer.parseProperties(zookeeper);
      out.println("= " + peer.getDataDir());
      Configuration flink = TaskManagerRunner.loadConfiguration(Arrays.copyOfRange(args, 1, args.length));
      out.println("= " + flink.getString("io.tmp.dirs", ""));
      out.println("= " + flink.getString("state.backend", ""));
      SSLUtils.createInternalServerSSLEngineFactory(flink);
      out.println("= " + flink.getString("security.ssl.internal.keystore", ""));
      String module = flink.getString("statefun.remote.module-name", "");
      URL url = (URL) Class.forName("org.apache.flink.statefun.flink.common.ResourceLocator").getMethod("findNamedResource", String.class).invoke(null, module);
      try (InputStream in = url.openStream()) { out.println("= " + new String(in.readAllBytes(), StandardCharsets.UTF_8).contains("io.statefun.kafka.v1/ingress")); }
      out.println("= " + ((LoggerContext) LogManager.getContext(false)).getConfiguration().getConfigurationSource().getLocation());
      Iterator<FileSystemFactory> plugins = PluginUtils.createPluginManagerFromRootFolder(flink).load(FileSystemFactory.class);
      SortedSet<String> schemes = new TreeSet<>();
      while (plugins.hasNext()) schemes.add(plugins.next().getScheme());
      out.println("= " + schemes);
    }
  }`;

describe("a checkout, its data and the cache in a folder with any name", () => {
  let root: string;
  let settings: ClusterSettings;
  const before = process.env["FRAUD_CACHE_DIR"];

  beforeAll(() => {
    root = join(mkdtempSync(join(tmpdir(), "fraud-names-")), NAME);
    // What is built once belongs to the cache, under the same names.
    const cache = cacheDir();
    mkdirSync(join(root, "cache"), { recursive: true });
    for (const entry of readdirSync(cache))
      if (/^(jars|transport|minio|k6)-/.test(entry) && !entry.includes(".tmp"))
        symlinkSync(join(cache, entry), join(root, "cache", entry));
    process.env["FRAUD_CACHE_DIR"] = join(root, "cache");
    settings = { ...clusterSettings({ name: "names" }), dataDir: join(root, "data") };
  });
  afterAll(() => {
    if (before === undefined) delete process.env["FRAUD_CACHE_DIR"];
    else process.env["FRAUD_CACHE_DIR"] = before;
    rmSync(dirname(root), { recursive: true, force: true });
  });

  it("is what Flink, StateFun, ZooKeeper and log4j read, in any locale", async () => {
    await makeFlinkKey(settings.dataDir);
    for (const part of ["zookeeper", "jobmanager", "taskmanager"] as const) partProgram(part, settings).prepare();
    const { args, env, foreign } = partProgram("taskmanager", settings);
    const at = args.indexOf("-cp");
    const zookeeper = partProgram("zookeeper", settings).args;
    mkdirSync(join(root, "classes"));
    writeFileSync(join(root, "Parsers.java"), PROGRAM);
    const compiled = await runQuietly(
      "javac",
      ["-proc:none", "-cp", args[at + 1]!, "-d", join(root, "classes"), join(root, "Parsers.java")],
      javaEnv(),
    );
    expect(compiled.code, compiled.output).toBe(0);
    // Heap and class archive depend on the part; the rest is as it is started.
    const options = args.slice(0, at).filter((option) => !option.startsWith("-X"));
    const { code, stdout, stderr } = await startProgram(
      "java",
      [
        "-Xmx256m",
        ...options,
        "-cp",
        [args[at + 1]!, join(root, "classes")].join(delimiter),
        "Parsers",
        zookeeper[zookeeper.indexOf("--zkConfigFile") + 1]!,
        ...args.slice(at + 3),
      ],
      childEnv(env, foreign, {
        ...process.env,
        LC_ALL: "POSIX",
        LANG: "C",
        HTTP_PROXY: "http://127.0.0.1:1",
        JAVA_TOOL_OPTIONS: "-XX:+UseG1GC",
      }),
    ).finished;
    expect(code, stderr).toBe(0);
    const conf = join(settings.dataDir, "conf");
    const read = stdout.split("\n").flatMap((line) => (line.startsWith("= ") ? [line.slice(2)] : []));
    expect(read).toEqual([
      join(settings.dataDir, "zookeeper"),
      join(settings.dataDir, "flink-tmp-taskmanager"),
      "hashmap",
      flinkKeystore(settings.dataDir),
      "true",
      join(conf, "taskmanager/log4j.properties"),
      "[s3, s3p]",
    ]);
  });

  it("is where Kafka puts its data", async () => {
    partProgram("kafka", settings).prepare();
    await formatKafkaStorage(settings);
    expect(existsSync(join(settings.dataDir, "kafka/meta.properties"))).toBe(true);
    expect(readdirSync(dirname(root)).map((name) => basename(name))).toEqual([NAME]);
  });
});
