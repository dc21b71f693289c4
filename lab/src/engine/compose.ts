/** The engine's real surroundings: this host and other places, their drivers, the state folder. */
import { connectBess } from "../drivers/bess/bess-client-control.js";
import { BessdSwitchDriver } from "../drivers/bess/bessd-switch-driver.js";
import { SwitchDrivers } from "../drivers/bess/switch-drivers.js";
import { VportdSwitchDriver } from "../drivers/bess/vportd-switch-driver.js";
import { chooseAccelerator } from "../drivers/libvirt/accelerator-probe.js";
import type { MachineDriver } from "../drivers/machine-driver.js";
import { machineDrivers } from "../drivers/registry.js";
import type { SwitchDriver } from "../drivers/switch-driver.js";
import { readHostFacts } from "../host/facts.js";
import { startGuardian } from "../host/guardian.js";
import type { LabHost } from "../host/lab-host.js";
import { resolveLayout } from "../host/layout.js";
import { Places } from "../host/places.js";
import { realHost } from "../host/real-host.js";
import { RealPipes } from "../host/real-pipes.js";
import type { AcceleratorVerdict, AcceleratorWish } from "../model/accelerator.js";
import type { Place } from "../model/topology.js";
import { connectedFirst } from "./connected-first.js";
import type { EngineContext } from "./context.js";
import type { Emit } from "./events.js";

export async function openEngine(emit: Emit): Promise<EngineContext & AsyncDisposable> {
  const host = realHost();
  const pipes = new RealPipes(host.exec);
  const layout = await resolveLayout(host);
  const places = new Places(host, layout);
  const drivers = new PerHost<MachineDriver>();
  const switches = new PerHost<SwitchDriver>();
  const choices = new Map<string, Promise<AcceleratorVerdict>>();
  const choose = async (wish: AcceleratorWish, place: Place): Promise<AcceleratorVerdict> => {
    const verdict = await chooseAccelerator(await places.at(place), wish);
    emit({ type: "note", text: `accelerator ${verdict.accelerator}: ${verdict.reason}` });
    return verdict;
  };
  return {
    host,
    layout,
    emit,
    guard: (argv) => startGuardian([host.node, ...argv]),
    hostAt: (place) => places.at(place),
    hostOf: ({ lab, place }) => places.of(place, lab),
    // A container has the processors and the memory of its host.
    facts: async (place) => readHostFacts(place.kind === "docker" ? host : await places.at(place)),
    accelerator: (wish, place) => {
      const key = JSON.stringify([wish, place]);
      const choice = choices.get(key) ?? choose(wish, place);
      choices.set(key, choice);
      return choice;
    },
    switchDriver: ({ lab, place }) =>
      switches.get(
        places.of(place, lab),
        "",
        (at) =>
          new SwitchDrivers({
            vportd: new VportdSwitchDriver(at, connectBess, pipes),
            bessd: new BessdSwitchDriver(at, connectBess, pipes),
          }),
      ),
    machineDriver: ({ lab, place, kind }) =>
      drivers.get(places.of(place, lab), kind, (at) => machineDrivers[kind](at) as MachineDriver),
    async [Symbol.asyncDispose]() {
      for (const driver of [...drivers, ...switches]) await driver[Symbol.asyncDispose]();
      await places[Symbol.asyncDispose]();
    },
  };
}

/** One driver of each kind for each host. */
class PerHost<D extends object> {
  private readonly drivers = new Map<LabHost, Map<string, D>>();

  get(host: LabHost, kind: string, make: (host: LabHost) => D): D {
    const ofHost = this.drivers.get(host) ?? new Map<string, D>();
    this.drivers.set(host, ofHost);
    const driver = ofHost.get(kind) ?? connectedFirst(make(host), host);
    ofHost.set(kind, driver);
    return driver;
  }

  *[Symbol.iterator](): Generator<D> {
    for (const ofHost of this.drivers.values()) yield* ofHost.values();
  }
}
