import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        // Beside the source; fast, deterministic, no cluster. The time limit allows for a machine that is busy with
        // other work.
        test: {
          name: "unit",
          include: ["**/*.spec.ts"],
          exclude: ["node_modules/**"],
          setupFiles: ["test/property-seed.ts"],
          // Vitest would leave one core of two idle.
          maxWorkers: "100%",
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Vitest would wait for a second.
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        // On the real cluster: one file at a time, since it is one machine.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          // One failure hides nothing else: all files run to the end.
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
      {
        // The same and more in containers; brings an engine and images where it may.
        test: {
          name: "compose",
          include: ["test/compose/**/*.test.ts"],
          globalSetup: ["test/compose/global-setup.ts"],
          fileParallelism: false,
          // One failure hides nothing else: all files run to the end.
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
