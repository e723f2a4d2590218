import { Command } from "commander";
import pc from "picocolors";

import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureEngine, stopStartedEngine } from "../compose/engine.js";
import { buildImages } from "./build-images.js";

/**
 * `npm run images`: builds what `docker compose up` needs where no image registry can be reached.
 *
 * @returns the exit code
 */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run images --")
    .description(
      "For networks without an image registry: builds the images that docker-compose.yml names, all but Grafana's, under the same name and with the same contract, from Debian's packages, Maven Central, Go's module proxy and npm; docs/docker.md says what is the same and what is not. Images that the engine has from elsewhere stay. Without an engine, as root on Debian, installs and starts one.",
    )
    .option(
      "--keep-engine",
      "leave an engine running that was started for this, so that docker compose can be used by hand",
      false,
    )
    .option("--stop-engine", "only stop the engine that --keep-engine has left", false)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { keepEngine, stopEngine } = program.opts<{ keepEngine: boolean; stopEngine: boolean }>();
  if (stopEngine) {
    console.log((await stopStartedEngine()) ? "engine stopped" : "no engine of ours was running");
    return 0;
  }
  const step = stepView();
  const engine = await step("Docker engine with compose", ensureEngine);
  if ("missing" in engine) throw new UserError(engine.missing);
  try {
    const built = await step("images", buildImages);
    for (const { image, state } of built) console.log(`${state.padEnd(24)} ${image}`);
    for (const { image, state } of built)
      if (state === "no stand-in")
        console.log(
          `${image} cannot be built from package registries: of the profile "observability", start Prometheus alone, by its own profile "prometheus".`,
        );
    if (engine.started)
      console.log(
        keepEngine
          ? `${pc.bold("docker compose up --wait")} works now; stop the engine with: npm run images -- --stop-engine`
          : "The engine that was started for this is stopped again; its images stay. Go on with: npm run images -- --keep-engine",
      );
  } finally {
    if (!keepEngine) await engine.stop();
  }
  return 0;
}
