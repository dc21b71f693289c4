/** Pause, reset and snapshots of libvirt domains. */
import { dirname } from "node:path";
import type { Host } from "../../host/host.js";
import { type Probed, waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import type { MachineControl, VmSpec } from "../machine-driver.js";
import { isAlive } from "./domain-state.js";
import type { GuestAgent } from "./guest-agent.js";
import { faultOf, hasFault, type Libvirt } from "./libvirt.js";
import { type DomainState, FAULT, type LibvirtCall, type Params } from "./native/protocol.js";

/** A gigabyte of memory on a slow disk. */
const STATE_MS = 300_000;
const DESTROY_MS = 60_000;
/** Another one with every boot. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** What the driver lends to its control. */
export interface Domains {
  readonly host: Host;
  /** Undefined when there is no such domain. */
  state(spec: VmSpec): Promise<DomainState | undefined>;
  agent(spec: VmSpec): GuestAgent;
  using<T>(spec: VmSpec, use: (libvirt: Libvirt) => Promise<T>): Promise<T>;
}

interface Until {
  /** A boot that does not count. */
  readonly but: string | undefined;
  readonly deadlineMs: number;
  readonly after: string;
}

export class LibvirtControl implements MachineControl<VmSpec> {
  constructor(private readonly domains: Domains) {}

  async pause(spec: VmSpec): Promise<void> {
    const { state } = await this.require(spec);
    if (state !== "paused") await this.call(spec, "suspend", { name: spec.domainName });
  }

  async resume(spec: VmSpec): Promise<void> {
    const { state } = await this.require(spec);
    if (state === "paused") await this.call(spec, "resume", { name: spec.domainName });
  }

  /**
   * The template has a guest that reboots end; a reset is a reboot for QEMU and libvirt as well, which look at the rule
   * when it happens, some time after they were asked. So the rule is lifted until the guest has begun anew.
   */
  async reset(spec: VmSpec): Promise<void> {
    await this.require(spec);
    const name = spec.domainName;
    const before = await this.bootId(spec);
    await this.call(spec, "onReboot", { name, action: "restart" });
    await this.call(spec, "reset", { name });
    await this.resume(spec);
    const { console, agent } = spec.deadlinesMs;
    await this.untilRuns(spec, { but: before, deadlineMs: console + agent, after: "its reset" });
    await this.call(spec, "onReboot", { name, action: "destroy" });
  }

  /** Its agent answers, of another boot than `but`. */
  private async untilRuns(spec: VmSpec, { but, deadlineMs, after }: Until): Promise<void> {
    const probe = async (): Promise<Probed<void>> => {
      await this.require(spec);
      const now = await this.bootId(spec);
      if (now !== undefined && now !== but) return { reached: true, value: undefined };
      return { reached: false, lastSeen: now === undefined ? "no answer from its agent" : "the boot before" };
    };
    await waitFor(this.domains.host.clock, probe, {
      deadlineMs,
      signal: new AbortController().signal,
      onDeadline: (lastSeen) =>
        new VnflabError("VNF_NOT_READY", `${spec.machine} does not run after ${after}; last seen: ${lastSeen}`),
    });
  }

  /** Of the boot that runs; undefined when the guest does not answer. */
  private async bootId(spec: VmSpec): Promise<string | undefined> {
    try {
      return new TextDecoder().decode(await this.domains.agent(spec).readFile(BOOT_ID)).trim();
    } catch {
      return undefined;
    }
  }

  async save(spec: VmSpec, file: string): Promise<void> {
    await this.require(spec);
    await this.domains.host.files.makeDirectory(dirname(file), { mode: 0o700 });
    await this.call(spec, "save", { name: spec.domainName, file });
  }

  async restore(spec: VmSpec, file: string): Promise<void> {
    if ((await this.domains.host.files.kind(file)) !== "file") {
      throw new VnflabError("VNF_SNAPSHOT", `${spec.machine}: there is no saved state ${file}`);
    }
    const state = await this.domains.state(spec);
    const name = spec.domainName;
    if (state && isAlive(state)) {
      await this.domains.using(spec, (libvirt) => libvirt.call("destroy", { name }, { deadlineMs: DESTROY_MS }));
    }
    await this.call(spec, "restore", { file });
    // To a new QEMU the agent is not connected at once, though in the guest nothing has happened.
    const { state: now } = await this.require(spec);
    if (now === "paused") return;
    await this.untilRuns(spec, { but: undefined, deadlineMs: spec.deadlinesMs.agent, after: "its restore" });
  }

  private async require(spec: VmSpec): Promise<DomainState> {
    const state = await this.domains.state(spec);
    if (state && isAlive(state)) return state;
    const detail = state ? `its domain is ${state.state}` : "it has no domain";
    throw new VnflabError("VNF_GUEST_COMMAND", `${spec.machine} does not run: ${detail}`);
  }

  private async call<C extends LibvirtCall>(spec: VmSpec, call: C, params: Params<C>): Promise<void> {
    try {
      await this.domains.using(spec, (libvirt) => libvirt.call(call, params, { deadlineMs: STATE_MS }));
    } catch (error) {
      throw unsupported(spec, call, error) ?? error;
    }
  }
}

/** Libvirt and QEMU refuse by various codes what a machine has no way to do; a device that cannot be moved names itself. */
function unsupported(spec: VmSpec, call: string, error: unknown): VnflabError | undefined {
  const words = faultOf(error)?.message ?? "";
  const refused = hasFault(error, FAULT.NO_SUPPORT, FAULT.CONFIG_UNSUPPORTED, FAULT.OPERATION_UNSUPPORTED);
  if (!refused && !/migration (is )?(disabled|blocked)|non-migratable|VHOST_USER_PROTOCOL_F_LOG_SHMFD/i.test(words)) {
    return undefined;
  }
  const message = `${spec.machine}: ${call} is not possible with this QEMU and libvirt: ${words.trim()}`;
  return new VnflabError("VNF_UNSUPPORTED", message, { cause: error });
}
