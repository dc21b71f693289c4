// Directions between the TypeScript folders; the rules are those of ARCHITECTURE.md.
const lab = (...names) => `^lab/src/(${names.join("|")})/`;
const labOther = (...names) => ({ path: "^lab/src/", pathNot: [lab(...names), "^lab/src/index\\.ts$"] });
const bess = (name) => `^(bess/${name}|node_modules/@vnflab/bess-${name})/`;
const anyBess = "^(bess|node_modules/@vnflab/(bess-[a-z]+|vportd))/";

/** A rule: files of `from` must not use `to`. */
const forbid = (name, from, to) => ({ name, severity: "error", from: { path: from, pathNot: "\\.test\\.ts$" }, to });

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    forbid("model-knows-nobody", lab("model"), labOther("model")),
    forbid("plan-uses-model", lab("plan"), labOther("plan", "model")),
    forbid("render-uses-model", lab("render"), labOther("render", "model")),
    forbid("host-uses-model", lab("host"), labOther("host", "model")),
    forbid("drivers-use-model-render-host", lab("drivers"), labOther("drivers", "model", "render", "host")),
    forbid("engine-below-suites", lab("engine"), labOther("engine", "plan", "model", "render", "drivers", "host")),
    forbid("suites-use-engine", lab("suites"), labOther("suites", "engine", "model")),
    // Programs are run and their words judged in one way, that of the suites.
    forbid("experiments-use-suites", lab("experiments"), labOther("experiments", "suites", "engine", "model")),
    forbid("cli-never-drivers", lab("cli", "web"), labOther("cli", "web", "engine", "suites", "experiments", "model")),
    forbid("bess-only-in-drivers", "^lab/src/(?!drivers/)", { path: anyBess }),
    forbid("drivers-use-client-and-pipelines", lab("drivers"), {
      path: anyBess,
      pathNot: [bess("client"), bess("pipelines")],
    }),
    forbid("proto-knows-nobody", "^bess/proto/", { path: "^(bess/(client|pipelines|switch)|lab)/" }),
    forbid("client-uses-proto", "^bess/client/", { path: "^(bess/(pipelines|switch)|lab)/" }),
    forbid("pipelines-use-client-types", "^bess/pipelines/", { path: "^(bess/(proto|switch)|lab)/" }),
    forbid("switch-uses-proto", "^bess/switch/", { path: "^(bess/(client|pipelines)|lab)/" }),
    forbid("api-uses-engine-and-suites", lab("api"), labOther("api", "engine", "suites", "model")),
    forbid("tests-use-the-command-and-the-api", "^tests/", {
      path: "^(lab|bess)/",
      pathNot: "^lab/(src|dist)/index\\.",
    }),
  ],
  options: {
    doNotFollow: { path: "node_modules|/dist/" },
    exclude: { path: "/dist/.*\\.map$" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
