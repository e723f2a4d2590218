import js from "@eslint/js";
import tseslint from "typescript-eslint";

const NODE_BUILTINS = {
  regex: "^(node:|(assert|buffer|child_process|cluster|crypto|dns|events|fs|http|https|net|os|path|perf_hooks|process|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)$)",
  message: "The functions' logic is deterministic: no clock, randomness or input and output.",
};

export default tseslint.config(
  { ignores: ["node_modules/", "protos/gen/", "reports/", ".cluster/"] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js", "cluster/run.mjs"] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // `process.env["NAME"]` is what noPropertyAccessFromIndexSignature-style code reads like; both are fine.
      "@typescript-eslint/dot-notation": "off",
      // Empty counts as not set, everywhere.
      "no-restricted-syntax": ["error", { selector: "MemberExpression[object.object.name='process'][object.property.name='env']:not(AssignmentExpression > .left):not(UnaryExpression > .argument)", message: "Read the environment through given() of cluster/environment.ts." }],
      // Only cluster/ starts processes.
      "no-restricted-imports": ["error", { paths: ["child_process", "node:child_process"] }],
    },
  },
  { files: ["cluster/**"], rules: { "no-restricted-imports": "off" } },
  // Tests set it, and put it back as it was.
  { files: ["**/*.spec.ts", "test/**"], rules: { "no-restricted-syntax": "off" } },
  {
    // Programs that talk to a person on the terminal.
    files: ["**/main.ts", "**/*-main.ts", "cluster/run.mjs", "cluster/terminal/**", "cluster/detach.ts"],
    rules: { "no-console": "off" },
  },
  {
    // The functions' logic: what happens depends on the message and the state, nothing else.
    files: ["functions/**/*.ts"],
    ignores: ["functions/server*.ts", "functions/**/*.spec.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: ["kafkajs", "express", "prom-client", "pino"].map((name) => ({ name, message: NODE_BUILTINS.message })),
          patterns: [NODE_BUILTINS, { regex: "/(kafka|cluster|demo|ingress-generator|intake|loadtest|money)/", message: "The functions depend on protos/ and statefun/ only." }],
        },
      ],
      "no-restricted-globals": ["error", "process", "setTimeout", "setInterval", "setImmediate", "performance", "fetch", "crypto", { name: "Intl", message: "What it knows is another in every version of Node." }],
      "no-restricted-syntax": [
        "error",
        { selector: "MemberExpression[object.name='Date'][property.name='now']", message: "No clock but the message's event time." },
        { selector: "MemberExpression[property.name=/^(toLocale\\w+|localeCompare|normalize)$/]", message: "Its result is another in every version of Node." },
        { selector: "NewExpression[callee.name='Date']", message: "No clock but the message's event time." },
        { selector: "MemberExpression[object.name='Math'][property.name='random']", message: "No randomness." },
        {
          selector: "MemberExpression[object.name='Math'][property.name=/^(sin|cos|tan|asin|acos|atan|atan2|exp|log|log2|log10|pow|hypot|cbrt|sinh|cosh|tanh)$/]",
          message: "Not bit-for-bit the same on every engine: use + - * / and Math.sqrt.",
        },
      ],
    },
  },
  {
    // The SDK knows nothing of fraud.
    files: ["statefun/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: ["child_process", "node:child_process", "kafkajs"],
          patterns: [{ regex: "fraud|/(functions|kafka|cluster|demo|ingress-generator|intake|loadtest|models|money)/", message: "statefun/ knows nothing of fraud." }],
        },
      ],
    },
  },
  {
    // What judges must not share code with what it judges.
    files: ["loadtest/**/*.ts", "trace/**/*.ts"],
    // Their specs let them judge the functions themselves.
    ignores: ["loadtest/**/*.spec.ts", "trace/**/*.spec.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: ["child_process", "node:child_process"],
          patterns: [{ regex: "/functions/", message: "What derives decisions again imports nothing of functions/." }],
        },
      ],
    },
  },
  { files: ["**/*.js", "**/*.mjs"], extends: [tseslint.configs.disableTypeChecked], languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } } },
);
