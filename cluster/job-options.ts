import { Option } from "commander";

import { STATE_BACKENDS } from "../flink/flink.js";
import { wholeNumber } from "../terminal/option-values.js";
import { type Compiler, COMPILERS, DEFAULT_PARALLELISM, DEFAULT_STATE_BACKEND } from "./settings.js";

/** A TaskManager has a slot for each subtask, and shares its memory among them. */
export const MAX_PARALLELISM = 16;

/** It has no default: existing state keeps its backend. */
export const stateBackendOption = (): Option =>
  new Option(
    "--state-backend <name>",
    `where Flink keeps state while it works (default: where this folder's state is; of a new folder ${DEFAULT_STATE_BACKEND})`,
  ).choices(STATE_BACKENDS);

/** It has no default: a job that is kept keeps its parallelism. */
export const parallelismOption = (): Option =>
  new Option(
    "--parallelism <n>",
    `of the Flink job (default: that of this folder's state; of a new folder ${DEFAULT_PARALLELISM})`,
  ).argParser(wholeNumber(1, MAX_PARALLELISM));

/** @param unless - what it is when nothing is said: `optimising` where the cluster is meant to run for hours */
export const compilerOption = (unless: Compiler): Option =>
  new Option(
    "--compiler <name>",
    "of Java's, for the broker and the TaskManager: the optimising one takes more of the processor in the first minutes, and less from then on",
  )
    .choices(COMPILERS)
    .default(unless);
