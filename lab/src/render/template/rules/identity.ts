/** What belongs to one domain on one host, and must not be in a template that several machines are made from. */
import { append, children, find, insertAfter, removeFrom, setAttributes } from "../dom.js";
import type { Rule } from "./rule.js";

export const identity: Rule = (editor) => {
  const { root } = editor;
  const id = root.getAttribute("id");
  if (id !== null) {
    editor.note(root, `id="${id}" of <domain> removed`, "it is the number of a domain that ran when this was dumped");
    setAttributes(root, { id: undefined });
  }
  for (const uuid of children(root, "uuid")) {
    editor.drop(uuid, "two machines made from one template cannot have one UUID; libvirt gives each its own");
  }
  for (const label of children(root, "seclabel")) {
    editor.drop(label, "the libvirt of a lab runs without a security driver, and would refuse the domain");
  }
  for (const resource of children(root, "resource")) {
    editor.drop(resource, "a cgroup partition of another host");
  }
};

/** Names that libvirt gave devices of a running domain. Those that a user gives begin with `ua-`. */
export const aliases: Rule = (editor) => {
  const devices = find(editor.root, "devices");
  const all = devices ? children(devices).flatMap((device) => children(device, "alias")) : [];
  const live = all.filter((alias) => !alias.getAttribute("name")?.startsWith("ua-"));
  for (const alias of live) removeFrom(alias);
  const what = `${live.length} <alias> removed, here and below`;
  if (live.length > 0) editor.note(live[0], what, "libvirt's own names of the devices of a domain that ran");
};

/** Cores and nodes of the host on which the domain once ran. */
export const placement: Rule = (editor) => {
  const { root } = editor;
  const decide = "The lab chooses cores; the lab file's `switch.core` and the order of machines are what it goes by.";
  for (const name of ["cputune", "numatune"]) {
    for (const element of children(root, name)) {
      editor.drop(element, "it names cores or memory nodes of another host", decide);
    }
  }
  const vcpu = children(root, "vcpu")[0];
  for (const name of ["cpuset", "current"]) {
    const value = vcpu?.getAttribute(name);
    if (!vcpu || value === null || value === undefined) continue;
    editor.note(vcpu, `${name}="${value}" of <vcpu> removed`, "the lab file says how many CPUs, the plan where");
    setAttributes(vcpu, { [name]: undefined });
  }
};

/** Libvirt 9 passes -no-acpi for a domain without it, which QEMU 9 and newer do not know. */
export const acpi: Rule = (editor) => {
  const { root } = editor;
  if (find(root, "features", "acpi")) return;
  const features = find(root, "features") ?? insertAfter(root, "features", find(root, "os"));
  append(features, "acpi");
  editor.note(
    features,
    "<acpi/> added to <features>",
    "without it libvirt 9 starts QEMU 9 and newer with a dead option",
  );
};
