import { Option } from "commander";

import { STATE_BACKENDS } from "../flink/flink.js";
import { DEFAULT_STATE_BACKEND } from "./settings.js";

/** It has no default: existing state keeps its backend. */
export const stateBackendOption = (): Option =>
  new Option(
    "--state-backend <name>",
    `where Flink keeps state while it works (default: where this folder's state is; of a new folder ${DEFAULT_STATE_BACKEND})`,
  ).choices(STATE_BACKENDS);
