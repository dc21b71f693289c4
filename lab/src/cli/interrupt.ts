/** Ctrl-C and its relatives: the first one asks the command to end and clean up, later ones are only answered. */
import type { EventEmitter } from "node:events";
import { VnflabError } from "../model/error.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** `source` is the process, or what emits signals in a test. The signal returned aborts with VNF_INTERRUPTED. */
export function watchInterrupts(source: EventEmitter, say: (text: string) => void): AbortSignal {
  const interrupt = new AbortController();
  for (const name of SIGNALS) {
    source.on(name, () => {
      say(`${name}: ${interrupt.signal.aborted ? "still " : ""}cleaning up\n`);
      if (!interrupt.signal.aborted) interrupt.abort(new VnflabError("VNF_INTERRUPTED", `interrupted by ${name}`));
    });
  }
  return interrupt.signal;
}
