import { describe, expect, it } from "vitest";
import { loadLab } from "./load-lab.js";
import { environmentSettings, parseSetting } from "./setting.js";

const MAIN = "/labs/main.yaml";
const PAIR = "name: a\nmachines:\n  vm1: {cpus: 2}\n  lb-1: {kind: process}\n";

/** Files by path; settings as the command line has them. */
function load(files: Record<string, string>, ...options: string[]) {
  const read = async (file: string) => files[file];
  return loadLab({ file: MAIN, read, settings: options.map(parseSetting), cwd: "/cwd" });
}

function set(...options: string[]) {
  return load(
    { [MAIN]: `${PAIR}    stack: {config: {log: info}}\n`.replace("{kind: process}\n", "\n    kind: process\n") },
    ...options,
  );
}

describe("--set", () => {
  it("gives each key the type that the schema wants, a later one winning", async () => {
    const lab = await set(
      ...["machines.vm1.cpus=3", "machines.vm1.cpus=4", "machines.vm1.stack.rebalance=true", "switch.memory=1G"],
      ...["machines.lb-1.stack.config.log=debug", "machines.lb-1.stack.config.rcvbuf=65536", "deadlines.link=1.5"],
      ...["machines.vm1.nics=[{link: lan, queues: 2}]", "machines.vm1.stack={workers: 2}", "host=docker", "seed=5"],
      "machines.lb-1.image=img",
    );
    expect(lab).toMatchObject({ seed: 5, switch: { memoryMib: 1024, place: { kind: "docker" } } });
    expect(lab.deadlinesMs.link).toBe(1500);
    expect(lab.machines).toMatchObject([
      { cpus: 4, nics: [{ queues: 2 }], stack: { workers: 2 } },
      { place: { kind: "docker" }, image: "/cwd/img", stack: { config: { log: "debug", rcvbuf: 65536 } } },
    ]);
  });

  it("has twins in the environment, which the command line overrides", async () => {
    const env = {
      VNFLAB_SET_MACHINES__LB_1__STACK__CONFIG__STEER_RING: "64",
      VNFLAB_SET_SEED: "3",
      VNFLAB_STATE: "/x",
    };
    const settings = [...environmentSettings(env), parseSetting("seed=4")];
    const lab = await loadLab({ file: MAIN, read: async () => PAIR, settings });
    expect(lab.seed).toBe(4);
    expect(lab.machines[1]?.stack.config).toEqual({ steer_ring: 64 });
  });

  it.each([
    [
      "machines.vm1.cpu=2",
      '--set machines.vm1.cpu=2: unknown key cpu (did you mean "cpus"?); allowed: kind, host, cpus,',
    ],
    ["machine.vm1.cpus=2", '--set machine.vm1.cpus=2: unknown key machine (did you mean "machines"?); allowed: name,'],
    [
      "machines.vm2.cpus=2",
      '--set machines.vm2.cpus=2: there is no vm2 in machines (did you mean "vm1"?); there are vm1, lb-1',
    ],
    ["links.lan.subnet=10.0.0.0/8", "--set links.lan.subnet=10.0.0.0/8: there is no lan in links; there are none"],
    [
      "machines.vm1.nics.0.queues=2",
      "--set machines.vm1.nics.0.queues=2: there is no 0 in machines.vm1.nics; there are none",
    ],
    ["machines.vm1.cpus.x=2", "--set machines.vm1.cpus.x=2: machines.vm1.cpus is a value, there is no x in it"],
    ["machines.vm1.cpus=two", "--set machines.vm1.cpus=two: must be a number"],
    ["machines.vm1.cpus=2.5", "--set machines.vm1.cpus=2.5: must be a whole number"],
    ["machines.vm1.cpus=0", "--set machines.vm1.cpus=0: must be 1 or more"],
    ["machines.vm1.forwarding=yes", "--set machines.vm1.forwarding=yes: must be true or false"],
    ["machines.vm1.kind=xm", "--set machines.vm1.kind=xm: must be one of vm, process"],
    ["machines.vm1.nics=[", "--set machines.vm1.nics=[: Flow sequence"],
    ["machines.vm1.stack={workers: 5}", "--set machines.vm1.stack={workers: 5}: 5 workers need as many cpus, not 2"],
    [
      "machines.vm1.stack.workers=5",
      "--set machines.vm1.stack.workers=5: machines.vm1.stack: 5 workers need as many cpus",
    ],
  ])("%s is refused with its name", async (option, message) => {
    const attempt = load({ [MAIN]: PAIR }, option);
    await expect(attempt).rejects.toMatchObject({ code: "VNF_LAB_INVALID", message: expect.stringContaining(message) });
  });

  it.each(["cpus", "=2", ".a=2", "a..b=2", ""])("%j is no setting", (option) => {
    expect(() => parseSetting(option)).toThrowError(
      expect.objectContaining({ code: "VNF_USAGE", message: `--set ${option}: not KEY=VALUE` }),
    );
  });
});

describe("include", () => {
  it("merges deeply, in order, the lab file last; paths are relative to the file that says them", async () => {
    const lab = await load({
      [MAIN]: "include: [shared/base.yaml, more.yaml]\nname: a\nmachines: {m: {cpus: 4}}",
      "/labs/shared/base.yaml":
        "include: [deep.yaml]\ndefaults: {image: img, memory: 1G}\nmachines: {m: {cpus: 2}, n: {}}",
      "/labs/shared/deep.yaml": "name: deep\ndefaults: {memory: 2G, kind: vm, template: t.xml}",
      "/labs/more.yaml": "defaults: {image: other}",
    });
    expect(lab.name).toBe("a");
    expect(lab.machines).toMatchObject([
      { name: "m", cpus: 4, memoryMib: 1024, image: "/labs/other", template: "/labs/shared/t.xml" },
      { name: "n", cpus: 1 },
    ]);
  });

  it.each([
    [{}, `there is no lab file ${MAIN}`],
    [{ [MAIN]: "include: [b.yaml]" }, `${MAIN}:1:11: include.0: there is no file /labs/b.yaml`],
    [
      { [MAIN]: "include: [b.yaml]", "/labs/b.yaml": "include:\n  - main.yaml" },
      `/labs/b.yaml:2:5: include.0: a file cannot include itself: ${MAIN} -> /labs/b.yaml -> ${MAIN}`,
    ],
    [{ [MAIN]: "include: b.yaml\nname: a\nmachines: {m: {}}" }, `${MAIN}:1:1: include: must be a list, not a text`],
    [
      { [MAIN]: "include: [b.yaml]\nname: a\nmachines: {m: {}}", "/labs/b.yaml": "defaults:\n  cpu: 2" },
      `/labs/b.yaml:2:3: defaults.cpu: unknown key (did you mean "cpus"?)`,
    ],
    [{ [MAIN]: "include: [b.yaml]\nname: a", "/labs/b.yaml": "a: [" }, "/labs/b.yaml:1:5: Flow sequence"],
  ])("%j", async (files, message) => {
    await expect(load(files)).rejects.toMatchObject({
      code: "VNF_LAB_INVALID",
      message: expect.stringContaining(message),
    });
  });
});
