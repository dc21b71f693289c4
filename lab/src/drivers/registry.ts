/** All machine drivers, one line each. */
import type { MachineDriverFactory, MachineKind, ProcessSpec } from "./machine-driver.js";
import { ProcessMachineDriver } from "./process/process-machine-driver.js";

export const machineDrivers: Partial<Record<MachineKind, MachineDriverFactory<never>>> = {
  process: (host) => new ProcessMachineDriver(host) satisfies import("./machine-driver.js").MachineDriver<ProcessSpec>,
};
