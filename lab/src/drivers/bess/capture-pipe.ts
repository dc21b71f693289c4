/** The pipe between a switch that captures and this process. */
import { join } from "node:path";
import type { Host } from "../../host/host.js";
import type { Pipes } from "../../host/pipes.js";
import { VnflabError } from "../../model/error.js";
import type { SwitchCapture } from "../switch-driver.js";
import type { BessControl } from "./bess-control.js";

/** Runs something with the switch's control protocol. */
type Use = <T>(use: (control: Pick<BessControl, "version" | "endCapture">) => Promise<T>) => Promise<T>;

let captures = 0;

export async function openCapture(
  host: Host,
  pipes: Pipes,
  folder: string,
  use: Use,
  begin: (fifo: string, name: string) => Promise<void>,
): Promise<SwitchCapture> {
  const { pid, startTicks } = await host.exec.self();
  const name = `vnflab-${pid}-${startTicks}-${captures++}`;
  const fifo = join(folder, name);
  const pipe = await pipes.open(fifo);
  try {
    await use(requireVportd);
    await begin(fifo, name);
  } catch (error) {
    pipe.close();
    throw error;
  } finally {
    await host.files.remove(fifo); // both ends are open; its name has done its work
  }
  return {
    content: pipe.content,
    stop: () => use((control) => control.endCapture(name)),
    close: () => pipe.close(),
  };
}

async function requireVportd(control: Pick<BessControl, "version">): Promise<void> {
  const version = await control.version();
  if (version.startsWith("vportd")) return;
  throw new VnflabError("VNF_CAPTURE", `the switch is "${version}"; only vportd writes several ports into one capture`);
}
