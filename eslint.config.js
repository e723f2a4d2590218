import js from "@eslint/js";
import stylistic from "@stylistic/eslint-plugin";
import tseslint from "typescript-eslint";

import { ROOMS } from "./rooms.js";

const NODE_BUILTINS = {
  regex:
    "^(node:|(assert|buffer|child_process|cluster|crypto|dns|events|fs|http|https|net|os|path|perf_hooks|process|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)$)",
  message: "The functions' logic is deterministic: no clock, randomness or input and output.",
};

const PROCESSES = ["child_process", "node:child_process"].map((name) => ({
  name,
  message: "Only rooms that rooms.js allows to may start processes.",
}));

export default tseslint.config(
  { ignores: ["node_modules/", "protos/gen/", "statefun/gen/", "statefun/dist/", "reports/", ".cluster/"] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ["*.js", "run.mjs", "protos/generate-features.mjs", "statefun/prepack.mjs"],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "@stylistic": stylistic },
    rules: {
      // Prettier breaks code, not comments.
      "@stylistic/max-len": [
        "error",
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // `process.env["NAME"]` is how noPropertyAccessFromIndexSignature-style code reads; both are fine.
      "@typescript-eslint/dot-notation": "off",
      // Empty counts as not set, everywhere.
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "MemberExpression[object.object.name='process'][object.property.name='env']:not(AssignmentExpression > .left):not(UnaryExpression > .argument)",
          message: "Read the environment through given() of process/environment.ts.",
        },
      ],
      "no-restricted-imports": ["error", { paths: [...PROCESSES] }],
    },
  },
  {
    files: Object.keys(ROOMS)
      .filter((name) => ROOMS[name]?.startsProcesses)
      .map((name) => `${name}/**`)
      .concat("run.mjs", "run.spec.ts", "statefun/prepack.mjs"),
    rules: { "no-restricted-imports": "off" },
  },
  // Tests set it, and put it back as it was.
  { files: ["**/*.spec.ts", "test/**"], rules: { "no-restricted-syntax": "off" } },
  {
    // Programs that talk to a person on the terminal.
    files: ["**/main.ts", "**/*-main.ts", "run.mjs", "terminal/**", "cluster/processes/detach.ts"],
    rules: { "no-console": "off" },
  },
  {
    // The functions' logic: what happens depends on the message and the state, nothing else.
    files: ["functions/**/*.ts"],
    ignores: ["functions/server*.ts", "functions/model-files.ts", "functions/**/*.spec.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: ["kafkajs", "express", "prom-client", "pino"].map((name) => ({
            name,
            message: NODE_BUILTINS.message,
          })),
          patterns: [
            NODE_BUILTINS,
            { regex: "^(\\.\\./)+(process|http)/", message: "Only the server may know of its process." },
          ],
        },
      ],
      "no-restricted-globals": [
        "error",
        "process",
        "setTimeout",
        "setInterval",
        "setImmediate",
        "performance",
        "fetch",
        "crypto",
        { name: "Intl", message: "What it knows differs between versions of Node." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: "No clock but the message's event time.",
        },
        {
          selector: "MemberExpression[property.name=/^(toLocale\\w+|localeCompare|normalize)$/]",
          message: "Its result differs between versions of Node.",
        },
        { selector: "NewExpression[callee.name='Date']", message: "No clock but the message's event time." },
        { selector: "MemberExpression[object.name='Math'][property.name='random']", message: "No randomness." },
        {
          selector:
            "MemberExpression[object.name='Math'][property.name=/^(sin|cos|tan|asin|acos|atan|atan2|exp|log|log2|log10|pow|hypot|cbrt|sinh|cosh|tanh)$/]",
          message: "Not bit-for-bit the same on every engine: use + - * / and Math.sqrt.",
        },
      ],
    },
  },
  {
    // The SDK knows nothing of fraud; rooms.js says what else it may import.
    files: ["statefun/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [...PROCESSES, "kafkajs"],
          patterns: [{ regex: "fraud", message: "statefun/ knows nothing of fraud." }],
        },
      ],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
);
