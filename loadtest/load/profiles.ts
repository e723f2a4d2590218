import type { Stage } from "../run/k6-plan.js";

const hold = (rate: number, seconds: number): Stage => ({ rate, seconds, ramp: false });
const ramp = (rate: number, seconds: number): Stage => ({ rate, seconds, ramp: true });

/** The named loads, in transactions per second; made for two cores that everything shares. */
export const PROFILES = {
  smoke: { description: "50 a second for 20 s: does it work at all", stages: [hold(50, 20)] },
  average: { description: "300 a second for 2 minutes: a usual day", stages: [ramp(300, 15), hold(300, 120)] },
  stress: {
    description: "up to 1,000 a second in 3 steps, and back",
    stages: [ramp(500, 30), hold(500, 60), ramp(750, 15), hold(750, 60), ramp(1000, 15), hold(1000, 60), ramp(100, 15)],
  },
  spike: {
    description: "from 100 to 1,000 a second at once, for 20 s",
    stages: [hold(100, 30), hold(1000, 20), hold(100, 40)],
  },
  soak: { description: "300 a second for an hour", stages: [ramp(300, 30), hold(300, 3600)] },
} as const satisfies Record<string, { readonly description: string; readonly stages: readonly Stage[] }>;
export type ProfileName = keyof typeof PROFILES;

/**
 * The greatest 99th percentile of committed latency that a profile allows, in ms; none where the load exceeds what two
 * cores sustain.
 */
export const COMMITTED_P99_MS: Readonly<Partial<Record<ProfileName, number>>> = {
  smoke: 5_000,
  average: 5_000,
  soak: 5_000,
};
