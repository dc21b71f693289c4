/** Words for libvirt's domain states. */
import type { DomainState } from "./native/protocol.js";

/** virDomainShutoffReason. */
const SHUTOFF_REASONS = [
  "for an unknown reason",
  "it shut itself down or rebooted",
  "it was destroyed",
  "QEMU crashed",
  "it was migrated",
  "it was saved",
  "it failed to start",
  "it was reverted",
  "the daemon ended it",
];

/** virDomainCrashedReason: 1 is the guest's kernel reporting a panic. */
const CRASHED_REASONS = ["for an unknown reason", "its kernel panicked"];

export function isAlive({ state }: DomainState): boolean {
  return state !== "shutoff" && state !== "crashed";
}

export function describeEnd({ state, reason }: DomainState): string {
  const words = state === "crashed" ? CRASHED_REASONS : SHUTOFF_REASONS;
  return `domain ${state}, ${words[reason] ?? `reason ${reason}`}`;
}
