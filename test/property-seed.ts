import fc from "fast-check";

import { given } from "../process/environment.js";

/**
 * Before each file of unit specs: fast-check draws the same cases in every run, so that unchanged code gets the same
 * verdict twice. `npm test -- unit --times 50` draws others each time.
 */
fc.configureGlobal({ seed: Number(given()["PROPERTY_SEED"] ?? 1) });
