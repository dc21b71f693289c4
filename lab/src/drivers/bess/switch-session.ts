/** What drivers of switches have in common: a talk over the control protocol, the driver's record, the ports' sockets. */
import { join } from "node:path";
import type { Host } from "../../host/host.js";
import type { Probed } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import type { SwitchSpec } from "../switch-driver.js";

const CALL_DEADLINE_MS = 5000;

type Connector<C> = (
  address: string,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
) => Promise<C>;

export class SwitchSession<C extends AsyncDisposable> {
  constructor(
    private readonly host: Host,
    private readonly connector: Connector<C>,
    /** Makes the error of what went wrong in a talk. */
    private readonly failure: (spec: SwitchSpec, message: string, cause: unknown) => VnflabError | Promise<VnflabError>,
  ) {}

  /** The client opens its socket in this process: the switch may be at another host. */
  async talk<T>(spec: SwitchSpec, signal: AbortSignal, use: (control: C) => Promise<T>): Promise<T> {
    try {
      const address = await this.host.sockets.here(spec.address);
      await using control = await this.connector(address, { deadlineMs: CALL_DEADLINE_MS, signal });
      return await use(control);
    } catch (cause) {
      if (signal.aborted || cause instanceof VnflabError) throw cause;
      throw await this.failure(spec, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }
}

/** What a driver keeps of a lab's switch while there is one. */
export class SwitchRecord<T> {
  constructor(private readonly host: Host) {}

  async read(spec: SwitchSpec): Promise<T | undefined> {
    const text = await this.host.files.readText(fileOf(spec));
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  write(spec: SwitchSpec, content: T): Promise<void> {
    return this.host.files.write(fileOf(spec), JSON.stringify(content));
  }

  remove(spec: SwitchSpec): Promise<void> {
    return this.host.files.remove(fileOf(spec));
  }
}

/** Whether each port has its socket; `where`: what is said of the host that lacks one. */
export async function probePorts(host: Host, { ports }: SwitchSpec, where = ""): Promise<Probed<true>> {
  for (const { name, socket } of ports) {
    if ((await host.files.kind(socket)) !== "socket") {
      return { reached: false, lastSeen: `the port of ${name} has no socket ${socket}${where}` };
    }
  }
  return { reached: true, value: true };
}

function fileOf({ stateDir }: SwitchSpec): string {
  return join(stateDir, "switch.json");
}
