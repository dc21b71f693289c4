/** The engine's real surroundings: this host, its drivers, its state folder. */
import { connectBess } from "../drivers/bess/bess-client-control.js";
import { VportdSwitchDriver } from "../drivers/bess/vportd-switch-driver.js";
import { chooseAccelerator } from "../drivers/libvirt/accelerator-probe.js";
import type { MachineDriver, MachineSpec } from "../drivers/machine-driver.js";
import { machineDrivers } from "../drivers/registry.js";
import { readHostFacts } from "../host/facts.js";
import { startGuardian } from "../host/guardian.js";
import { resolveLayout } from "../host/layout.js";
import { realHost } from "../host/real-host.js";
import { RealPipes } from "../host/real-pipes.js";
import type { AcceleratorVerdict, AcceleratorWish } from "../model/accelerator.js";
import type { EngineContext } from "./context.js";
import type { Emit } from "./events.js";

export async function openEngine(emit: Emit): Promise<EngineContext & AsyncDisposable> {
  const host = realHost();
  const layout = await resolveLayout(host);
  const switchDriver = new VportdSwitchDriver(host, connectBess, new RealPipes(host.exec));
  const open = new Map<MachineSpec["kind"], MachineDriver>();
  const choices = new Map<AcceleratorWish, Promise<AcceleratorVerdict>>();
  const choose = async (wish: AcceleratorWish): Promise<AcceleratorVerdict> => {
    const verdict = await chooseAccelerator(host, wish);
    emit({ type: "note", text: `accelerator ${verdict.accelerator}: ${verdict.reason}` });
    return verdict;
  };
  return {
    host,
    layout,
    hostOf: () => host,
    switchDriver: () => switchDriver,
    emit,
    guard: (argv) => startGuardian([host.node, ...argv]),
    facts: () => readHostFacts(host),
    accelerator: (wish) => {
      const choice = choices.get(wish) ?? choose(wish);
      choices.set(wish, choice);
      return choice;
    },
    machineDriver({ kind }) {
      const driver = open.get(kind) ?? (machineDrivers[kind](host) as MachineDriver);
      open.set(kind, driver);
      return driver;
    },
    async [Symbol.asyncDispose]() {
      for (const driver of [...open.values(), switchDriver]) await driver[Symbol.asyncDispose]();
    },
  };
}
