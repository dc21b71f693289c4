/** The emulator and the machine type: what this host's QEMU is called and can be. */
import type { Element } from "@xmldom/xmldom";
import { children, ensure, find, setAttributes, textOf } from "../dom.js";
import type { DomainEditor } from "../editor.js";
import type { Rule } from "./rule.js";

export const emulator: Rule = (editor, facts) => {
  const element = find(editor.root, "devices", "emulator");
  const path = textOf(element);
  if (element === undefined || path === facts.emulator) return;
  element.textContent = facts.emulator;
  editor.note(
    element,
    `<emulator> ${path} -> ${facts.emulator}`,
    "QEMU is at another place, or has another name, here",
  );
};

export const machineType: Rule = (editor, facts) => {
  const type = find(editor.root, "os", "type");
  if (!type) return;
  const arch = type.getAttribute("arch") ?? "x86_64";
  if (textOf(type) !== "hvm" || !["x86_64", "i686"].includes(arch)) {
    throw editor.error(type, `a lab's machine is <type arch="x86_64">hvm</type>, not ${arch} ${textOf(type)}`);
  }
  if (arch !== "x86_64") {
    setAttributes(type, { arch: "x86_64" });
    editor.note(type, `arch ${arch} -> x86_64`, "the guest image, and the host's QEMU, are of 64 bits");
  }
  replaceMachine(editor, type, facts.machineTypes);
};

function replaceMachine(editor: DomainEditor, type: Element, known: readonly string[]): void {
  const machine = type.getAttribute("machine");
  if (machine !== null && known.includes(machine)) return;
  const next = familyOf(machine ?? "q35");
  setAttributes(type, { machine: next });
  const why =
    machine === null
      ? "without one libvirt takes QEMU's oldest family"
      : "this QEMU has no such machine type: it was of one release of one distribution; the alias always exists";
  editor.note(type, `machine type ${machine ?? "(none)"} -> ${next}`, why);
}

/** The alias of the newest machine of the same family, so that buses and addresses stay what they were. */
function familyOf(machine: string): "pc" | "q35" {
  return machine.includes("q35") ? "q35" : "pc";
}

/** Hugepages of a size and on nodes that the other host had; a bare <hugepages/> is somebody's wish for this one. */
export const hugepages: Rule = (editor) => {
  const pages = find(editor.root, "memoryBacking", "hugepages");
  if (!pages || children(pages).length === 0) return;
  editor.drop(
    pages,
    "the pages must have been set aside in the sizes and on the nodes that are named; memfd needs none",
    "For hugepages write <hugepages/> into <memoryBacking> again and set aside enough of them (`vnflab doctor`).",
  );
};

/** The memory of a vhost-user guest must be mapped by the switch: shared, and of a file or a memfd. */
export const sharedMemory: Rule = (editor) => {
  const { root } = editor;
  dropNumaCells(editor);
  for (const current of children(root, "currentMemory")) {
    editor.drop(current, "a balloon's target; the lab file says how much memory there is");
  }
  const backing = ensure(root, "memoryBacking");
  for (const locked of children(backing, "locked")) {
    editor.drop(locked, "locking a guest's memory needs a limit that ordinary users do not have");
  }
  const wanted = { source: { type: "memfd" }, access: { mode: "shared" } };
  for (const [name, attributes] of Object.entries(wanted)) {
    const [attribute = "", value = ""] = Object.entries(attributes)[0] ?? [];
    const known = find(backing, name);
    if (known?.getAttribute(attribute) === value) continue;
    setAttributes(ensure(backing, name), attributes);
    editor.note(
      known ?? backing,
      `<${name} ${attribute}="${value}"> in <memoryBacking>`,
      "vhost-user needs shared memory",
    );
  }
};

function dropNumaCells(editor: DomainEditor): void {
  const cpu = find(editor.root, "cpu");
  const numa = cpu && find(cpu, "numa");
  if (!numa) return;
  editor.drop(
    numa,
    "its cells say how much memory and which CPUs, which the lab file says; memory is shared without it",
  );
}
