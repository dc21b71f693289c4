/** All rules of `vnflab template migrate`, in the order in which they are applied. */
import { bootFiles, characterDevices, disks, interfaces } from "./devices.js";
import { graphics } from "./graphics.js";
import { acpi, aliases, identity, placement } from "./identity.js";
import { emulator, hugepages, machineType, sharedMemory } from "./machine.js";
import { qemuCommandlineRule } from "./qemu-commandline.js";
import type { Rule } from "./rule.js";

export const RULES: readonly Rule[] = [
  identity,
  placement,
  machineType,
  emulator,
  qemuCommandlineRule,
  hugepages,
  sharedMemory,
  acpi,
  graphics,
  disks,
  bootFiles,
  interfaces,
  characterDevices,
  aliases,
];
