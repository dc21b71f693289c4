/** What a person in front of a screen needs. A lab's guests have a serial console, and QEMU's qxl and spice are gone. */
import { children, find } from "../dom.js";
import type { Rule } from "./rule.js";

const REASONS: Readonly<Record<string, string>> = {
  graphics: "a lab's guest has a serial console; spice is an option that many QEMU packages lack",
  video: "there is no screen; qxl is gone from many QEMU packages",
  sound: "it needs an audio backend, and nobody listens",
  audio: "nobody listens",
  redirdev: "USB redirection is part of spice",
  redirfilter: "USB redirection is part of spice",
  smartcard: "it is part of spice",
};

export const graphics: Rule = (editor) => {
  const devices = find(editor.root, "devices");
  if (!devices) return;
  for (const device of children(devices)) {
    const reason = REASONS[device.localName ?? ""];
    if (reason !== undefined) editor.drop(device, reason);
    else if (device.localName === "channel" && device.getAttribute("type")?.startsWith("spice")) {
      editor.drop(device, "it is spice's channel into the guest");
    }
  }
};
