import { OPEN_ROOMS, ROOMS } from "./rooms.js";

const anchored = (names) => `^(${names.join("|")})/`;
/** They compare a room with what it must agree with. */
const SPECS = "\\.spec\\.ts$|/testing/";

/** What a room may not import, apart from its specs. */
const walls = Object.entries(ROOMS).flatMap(([name, { imports, specs = [] }]) => {
  const others = (allowed) =>
    [...Object.keys(ROOMS), ...OPEN_ROOMS].filter((other) => other !== name && !allowed.includes(other));
  const wall = (suffix, from, allowed) => ({
    name: `${name}${suffix}`,
    severity: "error",
    comment: `${name}/ may import ${allowed.join(", ") || "nothing"}: see rooms.js`,
    from,
    to: { path: anchored(others(allowed)) },
  });
  return [
    wall("", { path: `^${name}/`, pathNot: SPECS }, imports),
    wall("-specs", { path: `^${name}/.*(${SPECS})` }, [...imports, ...specs]),
  ];
});

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...walls,
    {
      name: "every-folder-is-a-room",
      severity: "error",
      comment: "A folder with code in it is in rooms.js",
      from: { path: "/", pathNot: anchored([...Object.keys(ROOMS), ...OPEN_ROOMS, "node_modules"]) },
      to: {},
    },
    {
      name: "no-cycle",
      severity: "error",
      comment: "Neither when they run nor in their types",
      from: {},
      to: { circular: true },
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules|/gen/" },
    exclude: { path: "^(reports|\\.cluster|statefun/dist)/|/node_modules/.*\\.d\\.ts$" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["main", "types"],
    },
  },
};
