/** The servers that are attacked. */
export const HOSTILE_SERVERS = ["intake", "functions", "dashboard"] as const;
export type HostileServer = (typeof HOSTILE_SERVERS)[number];

/** What an attacker may do; see `attacker.ts`. */
export const ATTACK_KINDS = [
  "connections",
  "idle",
  "slow heads",
  "slow bodies",
  "pipelined",
  "some in one go",
  "waiting",
  "wrong logins",
  "bodies",
  "long heads",
  "chunk extensions",
] as const;
export type AttackKind = (typeof ATTACK_KINDS)[number];
