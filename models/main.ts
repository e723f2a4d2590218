import { Command } from "commander";
import pc from "picocolors";

import { endpointsAt, portsAt } from "../contract/ports.js";
import type { Model } from "../functions/transaction-scorer/model.js";
import type { ModelsInForce } from "../protos/gen/fraud/v1/models.js";
import { UserError } from "../terminal/user-error.js";
import { visible } from "../terminal/visible.js";
import { putInForce, readInForce } from "./in-force.js";
import { modelNamed } from "./model-named.js";
import { missingAt, stampsAt } from "./servers.js";

interface Common {
  readonly brokers: string;
}
interface Change extends Common {
  readonly note: string;
  readonly intake: string;
}
interface Use extends Change {
  /** `false`: none; `undefined`: the one that there is. */
  readonly challenger?: string | false;
  readonly functions: string;
  readonly force: boolean;
}

const NONE = Buffer.alloc(0);

/** `npm run models`: which model decides, and which scores beside it. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const { kafka, intake, functions } = endpointsAt(portsAt());
  const program = new Command("npm run models --")
    .description(
      "Says which model scores what the intake takes from now on, and changes it. Each transaction is stamped with the model that decides it, so nothing is restarted, and what was taken before stays as it is.",
    )
    .exitOverride();
  const common = (command: Command) => command.option("--brokers <host:port>", "Kafka", kafka).exitOverride();
  const changing = (command: Command) =>
    common(command)
      .option("--note <text>", "why, for people", "")
      .option("--intake <url>", "the intake that is asked whether it has the change", intake);

  common(program.command("show"))
    .description("the models in force")
    .action(async ({ brokers }: Common) => {
      const models = await readInForce(brokers);
      for (const line of linesOf(models)) console.log(line);
    });
  changing(program.command("use"))
    .description("has a model decide; the function servers must have it (FRAUD_MODEL)")
    .argument("<model>", "its file, or its id if it is in models/")
    .option("--challenger <model>", "another scores beside it and changes nothing. Default: the one that does now")
    .option("--no-challenger", "none does")
    .option("--functions <url>", "the function server that is asked whether it has them", functions)
    .option("--force", "also when the function server does not have them: what they score becomes an error", false)
    .action(async (name: string, options: Use) => use(name, options));
  changing(program.command("clear"))
    .description("none is in force: each function server scores with the first model of its own")
    .action(async (options: Change) =>
      change({ modelHash: NONE, challengerHash: NONE, modelId: "", challengerId: "", note: options.note }, options),
    );
  await program.parseAsync(argv, { from: "user" });
  return 0;
}

async function use(name: string, options: Use): Promise<void> {
  const { model, path } = modelNamed(name);
  const files = [path];
  const models: Model[] = [model];
  let challenger: Pick<ModelsInForce, "challengerHash" | "challengerId"> = { challengerHash: NONE, challengerId: "" };
  if (typeof options.challenger === "string") {
    const other = modelNamed(options.challenger);
    models.push(other.model);
    files.push(other.path);
    challenger = { challengerHash: Buffer.from(other.model.hash), challengerId: other.model.id };
  } else if (options.challenger === undefined) challenger = (await readInForce(options.brokers)) ?? challenger;
  const modelHash = Buffer.from(model.hash);
  if (modelHash.equals(challenger.challengerHash))
    throw new UserError(`${model.id} is the challenger already: give another by --challenger, or --no-challenger.`);
  const missing = await missingAt(options.functions, models);
  if (missing === undefined)
    console.log(pc.yellow(`no function server answers at ${options.functions}: nobody knows whether it has them`));
  else if (missing.length > 0 && !options.force)
    throw new UserError(
      `the function server at ${options.functions} does not have ${missing.map(({ id }) => id).join(" and ")}: restart it with FRAUD_MODEL naming ${files.join(" and ")} too, or use --force.`,
    );
  const { challengerHash, challengerId } = challenger;
  await change({ modelHash, modelId: model.id, challengerHash, challengerId, note: options.note }, options);
}

async function change(models: Omit<ModelsInForce, "setAtMs">, { brokers, intake }: Change): Promise<void> {
  await putInForce(brokers, models);
  for (const line of linesOf(models)) console.log(line);
  const stamped = await stampsAt(intake, models);
  console.log(
    stamped === undefined
      ? pc.yellow(`no intake answers at ${intake}: it will have this when it takes anything`)
      : stamped
        ? `${pc.green("✔")} the intake at ${intake} stamps this from now on`
        : pc.yellow(`the intake at ${intake} does not have this yet`),
  );
}

/** For people. @param models - undefined: nothing was ever put in force */
export function linesOf(
  models: (Omit<ModelsInForce, "setAtMs"> & { readonly setAtMs?: bigint }) | undefined,
): string[] {
  const named = (hash: Buffer, id: string, none: string): string =>
    hash.length === 0 ? none : `${visible(id)} (SHA-256 ${hash.toString("hex").slice(0, 12)}…)`;
  const { modelHash = NONE, modelId = "", challengerHash = NONE, challengerId = "", note = "", setAtMs } = models ?? {};
  return [
    `champion    ${named(modelHash, modelId, "none: each function server's first model")}`,
    `challenger  ${named(challengerHash, challengerId, "none")}`,
    ...(setAtMs === undefined ? [] : [`since       ${new Date(Number(setAtMs)).toISOString()}`]),
    ...(note === "" ? [] : [`note        ${visible(note)}`]),
  ];
}
