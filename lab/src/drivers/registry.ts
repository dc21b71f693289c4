/** All machine drivers, one line each. */
import { libvirtMachines } from "./libvirt/libvirt-machine-driver.js";
import type { MachineDriverFactory, MachineKind, MachineSpec } from "./machine-driver.js";
import { processMachines } from "./process/process-machine-driver.js";

type SpecOf<K extends MachineKind> = Extract<MachineSpec, { kind: K }>;

export const machineDrivers: { readonly [K in MachineKind]: MachineDriverFactory<SpecOf<K>> } = {
  vm: libvirtMachines,
  process: processMachines,
};
