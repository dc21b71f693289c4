/** The calls of the protocol, made on one connection. Runs in the libvirt thread. */
import { Binding, NativeFailure, type Pointer } from "./binding.js";
import { type ConnectionInfo, DOMAIN_STATES, FAULT, type LibvirtCall, type Params, type Result } from "./protocol.js";
import { socketOfUri, socketsTo } from "./sockets.js";

const DEFINE_VALIDATE = 1;
const SHUTDOWN_BY_AGENT = 2;
/** Managed save, snapshots, NVRAM and checkpoints go with the definition. */
const UNDEFINE_ALL = 1 | 2 | 4 | 16;

/** virDomainLifecycle and virDomainLifecycleAction. */
const LIFECYCLE_REBOOT = 1;
const LIFECYCLE_ACTIONS = { destroy: 0, restart: 1 } as const;
const AFFECT_LIVE = 1;
/** Goes on when it is restored, even if it was paused when it was saved. */
const RESTORE_RUNNING = 2;

type Handlers = { readonly [C in LibvirtCall]: (params: Params<C>) => Result<C> };

export class Calls implements Handlers {
  private loaded: Binding | undefined;
  private connection: Pointer | undefined;
  private socketFd = -1;

  connect = ({ uri }: Params<"connect">): ConnectionInfo => {
    const path = socketOfUri(uri);
    const before = path === undefined ? [] : socketsTo(path);
    this.connection = this.binding.pointer("virConnectOpen", uri);
    const after = path === undefined ? [] : socketsTo(path);
    this.socketFd = after.find((fd) => !before.includes(fd)) ?? -1;
    return this.version();
  };

  version = (): ConnectionInfo => ({
    library: this.versionOf("virGetVersion", null, null),
    daemon: this.versionOf("virConnectGetLibVersion"),
    hypervisor: this.versionOf("virConnectGetVersion"),
    socketFd: this.socketFd,
  });

  define = ({ xml }: Params<"define">): string => {
    const domain = this.binding.pointer("virDomainDefineXMLFlags", this.open, xml, DEFINE_VALIDATE);
    const name = this.binding.borrowedString("virDomainGetName", domain);
    this.binding.release("virDomainFree", domain);
    return name;
  };

  create = ({ name }: Params<"create">): null => this.act(name, "virDomainCreateWithFlags", 0);

  state = ({ name }: Params<"state">): Result<"state"> =>
    this.withDomain(name, (domain) => {
      const state: [number] = [0];
      const reason: [number] = [0];
      this.binding.status("virDomainGetState", domain, state, reason, 0);
      return { state: DOMAIN_STATES[state[0]] ?? "nostate", reason: reason[0] };
    });

  shutdown = ({ name }: Params<"shutdown">): null => this.act(name, "virDomainShutdownFlags", SHUTDOWN_BY_AGENT);

  destroy = ({ name }: Params<"destroy">): null => this.act(name, "virDomainDestroyFlags", 0);

  undefine = ({ name }: Params<"undefine">): null => this.act(name, "virDomainUndefineFlags", UNDEFINE_ALL);

  suspend = ({ name }: Params<"suspend">): null => this.act(name, "virDomainSuspend");

  resume = ({ name }: Params<"resume">): null => this.act(name, "virDomainResume");

  reset = ({ name }: Params<"reset">): null => this.act(name, "virDomainReset", 0);

  onReboot = ({ name, action }: Params<"onReboot">): null =>
    this.act(name, "virDomainSetLifecycleAction", LIFECYCLE_REBOOT, LIFECYCLE_ACTIONS[action], AFFECT_LIVE);

  save = ({ name, file }: Params<"save">): null => this.act(name, "virDomainSaveFlags", file, null, 0);

  restore = ({ file }: Params<"restore">): null => {
    this.binding.status("virDomainRestoreFlags", this.open, file, null, RESTORE_RUNNING);
    return null;
  };

  xml = ({ name }: Params<"xml">): string =>
    this.withDomain(name, (domain) => this.binding.ownedString("virDomainGetXMLDesc", domain, 0));

  agent = ({ name, command, timeoutS }: Params<"agent">): string =>
    this.withDomain(name, (domain) =>
      this.binding.ownedString("virDomainQemuAgentCommand", domain, command, timeoutS, 0),
    );

  close(): void {
    if (this.connection !== undefined) this.binding.release("virConnectClose", this.connection);
    this.connection = undefined;
  }

  private get binding(): Binding {
    this.loaded ??= Binding.load();
    return this.loaded;
  }

  private get open(): Pointer {
    if (this.connection !== undefined) return this.connection;
    const message = "there is no connection yet";
    throw new NativeFailure({ call: "connect", code: FAULT.OPERATION_INVALID, domain: 0, level: 2, message });
  }

  private withDomain<T>(name: string, use: (domain: Pointer) => T): T {
    const domain = this.binding.pointer("virDomainLookupByName", this.open, name);
    try {
      return use(domain);
    } finally {
      this.binding.release("virDomainFree", domain);
    }
  }

  private act(name: string, call: Parameters<Binding["status"]>[0], ...args: unknown[]): null {
    this.withDomain(name, (domain) => this.binding.status(call, domain, ...args));
    return null;
  }

  private versionOf(call: Parameters<Binding["status"]>[0], ...rest: unknown[]): string {
    const number: [number | bigint] = [0];
    if (call === "virGetVersion") this.binding.status(call, number, ...rest);
    else this.binding.status(call, this.open, number);
    const packed = Number(number[0]);
    return `${Math.floor(packed / 1_000_000)}.${Math.floor(packed / 1000) % 1000}.${packed % 1000}`;
  }
}
