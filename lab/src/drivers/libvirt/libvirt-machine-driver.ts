/**
 * Virtual machines as libvirt domains.
 *
 * One connection, and so one libvirt thread, a machine: a guest agent that hangs blocks nobody else. A domain is
 * defined, then started, so that its state and the reason of its end can still be asked for when it is gone.
 */
import { join } from "node:path";
import type { Host } from "../../host/host.js";
import { resolveLayout } from "../../host/layout.js";
import { waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import { switchSocketsOf } from "../../render/effective-domain.js";
import type {
  GuestCommand,
  GuestProcess,
  MachineControl,
  MachineDriver,
  MachineDriverFactory,
  MachineState,
  Rung,
  Terminal,
  VmSpec,
} from "../machine-driver.js";
import { pausedError } from "../paused-error.js";
import { describeEnd, isAlive } from "./domain-state.js";
import { GuestAgent } from "./guest-agent.js";
import { type GuestShell, startGuestProcess } from "./guest-process.js";
import { faultOf, hasFault, type Libvirt, type LibvirtConnector } from "./libvirt.js";
import { LibvirtControl } from "./libvirt-control.js";
import { type DomainState, FAULT } from "./native/protocol.js";
import { socketOfUri } from "./native/sockets.js";
import { PrivateDaemon } from "./private-daemon.js";
import { vmRungs } from "./rungs.js";
import { ThreadLibvirt } from "./thread-libvirt.js";
import { makeDisks } from "./vm-disks.js";

/** The first question to a new daemon makes it look at QEMU, which takes seconds on a good day. */
const CONNECT_MS = 120_000;
const CREATE_MS = 60_000;
const DESTROY_MS = 60_000;
/** How long a guest may take to end by itself. */
const SHUTDOWN_MS = 5000;
/** Libvirt's own time limit comes first; this one is for a libvirt that hangs. */
const AGENT_MARGIN_MS = 10_000;
const AGENT_SILENCE_MS = 60_000;
const CONSOLE_LINES = 40;
const QEMU_LOG_LINES = 15;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const libvirtMachines: MachineDriverFactory<VmSpec> = (host) =>
  new LibvirtMachineDriver(host, (uri) => ThreadLibvirt.connect(uri, { deadlineMs: CONNECT_MS }));

export class LibvirtMachineDriver implements MachineDriver<VmSpec> {
  private readonly connections = new Map<string, Promise<Libvirt>>();
  private readonly daemons = new Map<string, Promise<PrivateDaemon>>();
  /** The last definition that was asked for has ended, whatever came of it. */
  private lastDefined: Promise<unknown> = Promise.resolve();

  readonly control: MachineControl<VmSpec>;

  constructor(
    private readonly host: Host,
    private readonly connect: LibvirtConnector,
  ) {
    this.control = new LibvirtControl({
      host,
      state: (spec) => this.state(spec),
      agent: (spec) => this.agent(spec),
      using: (spec, use) => this.using(spec, use),
    });
  }

  async start(spec: VmSpec, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { domainName: name } = spec;
    const state = await this.state(spec, "ask anyway");
    if (state && !(await this.mayExist(spec))) throw foreignDomain(spec);
    if (state && isAlive(state)) return;
    await this.requireSwitch(spec);
    const libvirt = await this.connection(spec);
    await this.host.files.write(definedMark(spec), `${spec.domainName}\n`);
    await makeDisks(this.host, spec);
    try {
      await this.define(libvirt, spec.domainXml);
      signal.throwIfAborted();
      await libvirt.call("create", { name }, { deadlineMs: CREATE_MS });
    } catch (error) {
      await libvirt.call("undefine", { name }).catch(() => {});
      throw await this.withQemuLog(spec, error);
    }
  }

  /**
   * One after the other: a new libvirtd that validates two domains at once may take its own schema for none, because
   * libxml2 sets up the schema's types without a lock.
   */
  private define(libvirt: Libvirt, xml: string): Promise<unknown> {
    const defining = this.lastDefined.then(() => libvirt.call("define", { xml }, { deadlineMs: CONNECT_MS }));
    this.lastDefined = defining.catch(() => {});
    return defining;
  }

  /** A NIC that reconnects would wait for its switch without end, and libvirt's call with it. */
  private async requireSwitch({ machine, domainXml }: VmSpec): Promise<void> {
    for (const socket of switchSocketsOf(`the domain of ${machine}`, domainXml)) {
      if (await this.host.sockets.isListening(`unix:${socket}`)) continue;
      throw new VnflabError("VNF_SWITCH_FAILED", `${machine} cannot start: nothing listens on ${socket}`, {
        hint: "The switch must run, with a port for each NIC: `vnflab up FILE` starts it.",
      });
    }
  }

  async stop(spec: VmSpec): Promise<void> {
    const state = await this.state(spec);
    if (state) {
      const libvirt = await this.connection(spec);
      if (isAlive(state)) await this.end(spec, libvirt);
      await unless(FAULT.NO_DOMAIN, libvirt.call("undefine", { name: spec.domainName }));
    }
    await this.drop(spec);
    await this.host.files.remove(definedMark(spec));
    await this.host.files.remove((await this.daemon(spec.runDir)).qemuLog(spec.domainName));
  }

  async observe(spec: VmSpec): Promise<MachineState> {
    const state = await this.state(spec);
    if (!state) return { status: "absent", detail: "no such domain" };
    if (!isAlive(state)) return { status: "dead", detail: describeEnd(state) };
    const process = await this.process(spec);
    const daemon = spec.libvirtUri ?? "private libvirtd, as VNFLAB_LIBVIRT_URI was not set";
    return {
      status: "running",
      detail: `domain ${state.state} (${daemon})`,
      ...(state.state === "paused" ? { paused: true } : {}),
      ...(process ? { pid: process.pid, pids: [process.pid] } : {}),
    };
  }

  async liveXml(spec: VmSpec): Promise<string | undefined> {
    if (!(await this.mayExist(spec))) return undefined;
    return unless(
      FAULT.NO_DOMAIN,
      this.using(spec, (libvirt) => libvirt.call("xml", { name: spec.domainName })),
    );
  }

  rungs(spec: VmSpec): readonly Rung[] {
    return vmRungs(spec, {
      agent: this.agent(spec),
      consoleTail: (lines) => this.host.files.tail(spec.consoleLog, lines),
      observe: () => this.observe(spec),
      lost: (detail) => this.lost(spec, detail),
    });
  }

  async exec(spec: VmSpec, command: GuestCommand): Promise<GuestProcess> {
    // Libvirt would wait for the agent's answer, for long.
    if ((await this.state(spec))?.state === "paused") throw pausedError(spec, `run ${command.argv[0] ?? "nothing"}`);
    return this.inGuest(spec, `run ${command.argv[0] ?? "nothing"}`, () =>
      startGuestProcess(this.shell(spec), command),
    );
  }

  terminal(spec: VmSpec): Terminal {
    if (spec.consoleSocket !== undefined) return { kind: "console", socket: spec.consoleSocket };
    return { kind: "none", reason: "its template has no serial console" };
  }

  async putFile(spec: VmSpec, path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    await this.inGuest(spec, `write ${path}`, () => this.agent(spec).writeFile(path, content));
  }

  async getFile(spec: VmSpec, path: string): Promise<Uint8Array> {
    return this.inGuest(spec, `read ${path}`, () => this.agent(spec).readFile(path));
  }

  async *readFile(spec: VmSpec, path: string): AsyncGenerator<Uint8Array> {
    const file = await this.inGuest(spec, `read ${path}`, () => this.agent(spec).open(path, "r"));
    try {
      for (;;) {
        const chunk = await this.inGuest(spec, `read ${path}`, () => file.readSome());
        if (chunk.length === 0) return;
        yield chunk;
      }
    } finally {
      // What was read is complete or its error is on the way: a handle more in the agent is neither.
      await file.close().catch(() => {});
    }
  }

  async release(runDir: string): Promise<void> {
    await (await this.daemon(runDir)).stop();
    this.daemons.delete(runDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.connections.values()];
    this.connections.clear();
    await Promise.all(open.map(async (opening) => (await opening.catch(() => undefined))?.[Symbol.asyncDispose]()));
  }

  /** One object a folder, even for callers at the same time: it is what keeps two daemons from starting there. */
  private daemon(runDir: string): Promise<PrivateDaemon> {
    const known = this.daemons.get(runDir);
    if (known) return known;
    const daemon = resolveLayout(this.host).then(
      ({ cacheDir }) => new PrivateDaemon(this.host, { dir: join(runDir, "v"), cacheHome: join(cacheDir, "libvirt") }),
    );
    this.daemons.set(runDir, daemon);
    return daemon;
  }

  private connection(spec: VmSpec): Promise<Libvirt> {
    const known = this.connections.get(spec.domainName);
    if (known) return known;
    const opening = this.open(spec);
    this.connections.set(spec.domainName, opening);
    opening.catch(() => this.connections.delete(spec.domainName));
    return opening;
  }

  private async open(spec: VmSpec): Promise<Libvirt> {
    if (spec.libvirtUri !== undefined) return this.connect(await this.here(spec.libvirtUri));
    const daemon = await this.daemon(spec.runDir);
    await daemon.ensure();
    return this.connect(await this.here(daemon.uri));
  }

  /** The same URI with a socket that this process can open: the daemon may be on another host. */
  private async here(uri: string): Promise<string> {
    const socket = socketOfUri(uri);
    if (socket === undefined) return uri;
    return uri.replace(socket, (await this.host.sockets.here(`unix:${socket}`)).slice("unix:".length));
  }

  private async drop(spec: VmSpec): Promise<void> {
    const known = this.connections.get(spec.domainName);
    this.connections.delete(spec.domainName);
    await (await known?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  /** Calls libvirt; a connection that has been lost is replaced by the next call. */
  private async using<T>(spec: VmSpec, use: (libvirt: Libvirt) => Promise<T>): Promise<T> {
    const libvirt = await this.connection(spec);
    try {
      return await use(libvirt);
    } catch (error) {
      if (error instanceof VnflabError && error.code === "VNF_LIBVIRT" && !faultOf(error)) await this.drop(spec);
      throw error;
    }
  }

  /** Undefined when there is no such domain; a daemon that was never told of it is not even asked. */
  private async state(spec: VmSpec, ask?: "ask anyway"): Promise<DomainState | undefined> {
    if (ask === undefined && !(await this.mayExist(spec))) return undefined;
    return unless(
      FAULT.NO_DOMAIN,
      this.using(spec, (libvirt) => libvirt.call("state", { name: spec.domainName })),
    );
  }

  private async mayExist(spec: VmSpec): Promise<boolean> {
    if (spec.libvirtUri !== undefined) return (await this.host.files.kind(definedMark(spec))) !== undefined;
    return (await this.daemon(spec.runDir)).knows(spec.domainName);
  }

  private async process(spec: VmSpec) {
    return spec.libvirtUri === undefined ? (await this.daemon(spec.runDir)).guest(spec.domainName) : undefined;
  }

  /** Asks the guest to end, then ends it. */
  private async end(spec: VmSpec, libvirt: Libvirt): Promise<void> {
    const { domainName: name } = spec;
    const asked = await libvirt.call("shutdown", { name }).then(
      () => true,
      () => false,
    );
    if (asked) await this.untilEnded(spec).catch(() => {});
    const gone = [FAULT.NO_DOMAIN, FAULT.OPERATION_INVALID];
    await unless(gone, libvirt.call("destroy", { name }, { deadlineMs: DESTROY_MS }));
  }

  private async untilEnded(spec: VmSpec): Promise<void> {
    const probe = async () => {
      const state = await this.state(spec);
      return state && isAlive(state)
        ? ({ reached: false, lastSeen: state.state } as const)
        : ({ reached: true, value: undefined } as const);
    };
    await waitFor<void>(this.host.clock, probe, {
      deadlineMs: SHUTDOWN_MS,
      signal: new AbortController().signal,
      onDeadline: (lastSeen) => new VnflabError("VNF_LIBVIRT", `${spec.domainName} is still ${lastSeen}`),
    });
  }

  private agent(spec: VmSpec): GuestAgent {
    return new GuestAgent(async (execute, args, timeoutS) => {
      const params = { name: spec.domainName, command: JSON.stringify({ execute, arguments: args }), timeoutS };
      const options = { deadlineMs: timeoutS * 1000 + AGENT_MARGIN_MS };
      const answer = await this.using(spec, (libvirt) => libvirt.call("agent", params, options));
      return (JSON.parse(answer) as { return: unknown }).return;
    });
  }

  private shell(spec: VmSpec): GuestShell {
    return {
      agent: this.agent(spec),
      clock: this.host.clock,
      workDir: spec.workDir,
      env: { PATH: `${spec.binDir}:${PATH}`, HOME: "/root", LANG: "C.UTF-8" },
      giveUp: async (failure, failingForMs) => {
        const { status, detail, paused } = await this.observe(spec);
        if (status !== "running") return this.lost(spec, detail);
        // Somebody has paused it, and will let it go on.
        if (paused) return "anew";
        const patient = hasFault(failure, FAULT.AGENT_UNRESPONSIVE, FAULT.AGENT_UNSYNCED);
        return patient && failingForMs < AGENT_SILENCE_MS ? undefined : guestError(spec, "follow a command", failure);
      },
    };
  }

  private async inGuest<T>(spec: VmSpec, what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const { status, detail, paused } = await this.observe(spec);
      if (status !== "running") throw await this.lost(spec, detail);
      throw paused ? pausedError(spec, what) : guestError(spec, what, error);
    }
  }

  private async lost(spec: VmSpec, detail: string): Promise<VnflabError> {
    const file = spec.consoleLog;
    const lines = await this.host.files.tail(file, CONSOLE_LINES);
    const message = `machine ${spec.machine} has ended: ${detail}`;
    if (lines.length > 0) return new VnflabError("VNF_MACHINE_FAILED", message, { log: { file, lines } });
    return this.withQemuLog(spec, new VnflabError("VNF_MACHINE_FAILED", message));
  }

  /** The same error with the last lines that QEMU wrote. */
  private async withQemuLog(spec: VmSpec, error: unknown): Promise<VnflabError> {
    const known = error instanceof VnflabError ? error : undefined;
    if (!known) throw error;
    const file = (await this.daemon(spec.runDir)).qemuLog(spec.domainName);
    const lines = await this.host.files.tail(file, QEMU_LOG_LINES);
    if (lines.length === 0 || known.log) return known;
    const { code, message, hint, cause } = known;
    return new VnflabError(code, `${spec.machine}: ${message}`, { hint, cause, log: { file, lines } });
  }
}

/** Somebody else's domain in the user's libvirt; defining ours would replace it. */
function foreignDomain(spec: VmSpec): VnflabError {
  const message = `${spec.libvirtUri} has a domain ${spec.domainName} already, and it is not of this lab`;
  return new VnflabError("VNF_LAB_EXISTS", message, {
    hint: `Give the lab another name, or remove the domain: virsh -c ${spec.libvirtUri} undefine ${spec.domainName}`,
  });
}

/** Written before the domain is defined, removed when it is gone. */
function definedMark(spec: VmSpec): string {
  return join(spec.stateDir, "domain");
}

function guestError(spec: VmSpec, what: string, cause: unknown): VnflabError {
  if (cause instanceof VnflabError && cause.code !== "VNF_LIBVIRT") return cause;
  const words = faultOf(cause)?.message ?? (cause instanceof Error ? cause.message : String(cause));
  const reason = words.replace(/^.*unable to execute QEMU agent command '[^']*': /, "");
  return new VnflabError("VNF_GUEST_COMMAND", `${spec.machine}: cannot ${what}: ${reason}`, { cause });
}

/** Undefined instead of an error when libvirt refused for one of these reasons. */
async function unless<T>(codes: number | readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (hasFault(error, ...[codes].flat())) return undefined;
    throw error;
  }
}
