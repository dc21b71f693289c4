/** libvirt in memory, with a guest agent behind each domain. The guests' programs are those of the fake host. */
import { randomUUID } from "node:crypto";
import type { ChildProcess } from "../../host/exec.js";
import type { FakeHost } from "../../host/fake-host.js";
import { faultError } from "./fault-error.js";
import type { Libvirt } from "./libvirt.js";
import { type DomainState, FAULT, type LibvirtCall, type Params, type Result } from "./native/protocol.js";

type Handlers = { readonly [C in LibvirtCall]?: (params: Params<C>) => Result<C> | Promise<Result<C>> };

interface FakeDomain {
  state: DomainState;
  guest: FakeGuest;
  onReboot: "destroy" | "restart";
  readonly xml: string;
}

const RUNNING: DomainState = { state: "running", reason: 1 };

export class FakeLibvirt implements Libvirt {
  readonly domains = new Map<string, FakeDomain>();
  /** Every call, in order: "create vnflab-l-m". */
  readonly calls: string[] = [];
  /** These calls fail with this message of libvirt. */
  readonly refusals = new Map<LibvirtCall, string>();

  constructor(private readonly host: FakeHost) {}

  async call<C extends LibvirtCall>(call: C, params: Params<C>): Promise<Result<C>> {
    if (call !== "agent") this.calls.push([call, "name" in params ? params.name : ""].join(" ").trim());
    const refusal = this.refusals.get(call);
    if (refusal !== undefined) throw refused(call, 1, refusal);
    const handler = this.handlers[call] as ((params: Params<C>) => Result<C>) | undefined;
    if (!handler) throw refused(call, FAULT.NO_SUPPORT, `the fake does not know ${call}`);
    return handler(params);
  }

  /** The guest ends by itself. */
  die(name: string, state: DomainState): void {
    this.domain(name).state = state;
  }

  guest(name: string): FakeGuest {
    return this.domain(name).guest;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private readonly handlers: Handlers = {
    define: ({ xml }) => {
      const name = /<name>([^<]+)</.exec(xml)?.[1] ?? "";
      const guest = new FakeGuest(this.host);
      this.domains.set(name, { state: { state: "shutoff", reason: 0 }, guest, onReboot: "destroy", xml });
      return name;
    },
    create: ({ name }) => this.set(name, RUNNING),
    xml: ({ name }) => this.domain(name).xml,
    state: ({ name }) => this.domain(name).state,
    shutdown: ({ name }) => {
      if (!this.guest(name).answers) throw refused("shutdown", FAULT.AGENT_UNRESPONSIVE, "the agent is not connected");
      return this.set(name, { state: "shutoff", reason: 1 });
    },
    destroy: ({ name }) => {
      if (this.domain(name).state.state === "shutoff") {
        throw refused("destroy", FAULT.OPERATION_INVALID, "domain is not running");
      }
      return this.set(name, { state: "shutoff", reason: 2 });
    },
    suspend: ({ name }) => this.set(name, { state: "paused", reason: 1 }),
    resume: ({ name }) => this.set(name, RUNNING),
    reset: ({ name }) => {
      // As QEMU does it: a guest that may not reboot ends.
      const domain = this.domain(name);
      if (domain.onReboot === "destroy") return this.set(name, { state: "shutoff", reason: 1 });
      domain.guest = new FakeGuest(this.host);
      // Its agent is back by and by.
      domain.guest.missed = 3;
      return null;
    },
    onReboot: ({ name, action }) => {
      this.domain(name).onReboot = action;
      return null;
    },
    save: async ({ name, file }) => {
      const { guest } = this.domain(name);
      const files = [...guest.files].map(([path, content]) => [path, content.toString("base64")]);
      await this.host.files.write(file, JSON.stringify({ name, files }));
      return this.set(name, { state: "shutoff", reason: 5 });
    },
    restore: async ({ file }) => {
      const saved = JSON.parse((await this.host.files.readText(file)) ?? "{}");
      const { name, files } = saved as { name: string; files: [string, string][] };
      const guest = new FakeGuest(this.host);
      for (const [path, content] of files) guest.files.set(path, Buffer.from(content, "base64"));
      this.domain(name).guest = guest;
      return this.set(name, RUNNING);
    },
    undefine: ({ name }) => {
      this.domain(name);
      this.domains.delete(name);
      return null;
    },
    agent: async ({ name, command }) => {
      const { state, guest } = this.domain(name);
      if (state.state !== "running") throw refused("agent", FAULT.OPERATION_INVALID, "domain is not running");
      if (!guest.hears()) throw refused("agent", FAULT.AGENT_UNRESPONSIVE, "the agent is not connected");
      const { execute, arguments: args } = JSON.parse(command) as { execute: string; arguments: AgentArguments };
      return JSON.stringify({ return: await guest.execute(execute, args) });
    },
  };

  private domain(name: string) {
    const domain = this.domains.get(name);
    if (!domain) throw refused("virDomainLookupByName", FAULT.NO_DOMAIN, `no domain with matching name '${name}'`);
    return domain;
  }

  private set(name: string, state: DomainState): null {
    this.domain(name).state = state;
    return null;
  }
}

interface AgentArguments {
  readonly path?: string;
  readonly arg?: readonly string[];
  readonly env?: readonly string[];
  readonly "input-data"?: string;
  readonly pid?: number;
  readonly handle?: number;
  readonly mode?: string;
  readonly "buf-b64"?: string;
}

/** A guest that has booted; its files are in memory. */
class FakeGuest {
  answers = true;
  /** So many commands are not answered; then the agent is back. */
  missed = 0;
  readonly files = new Map<string, Buffer>([
    ["/run/vnflab/ready", Buffer.from('{"uio":["0000:01:00.0"]}')],
    ["/proc/sys/kernel/random/boot_id", Buffer.from(randomUUID())],
  ]);
  private readonly programs = new Map<number, { child: ChildProcess; exitCode?: number }>();
  private readonly handles: { readonly path: string; at: number }[] = [];

  constructor(private readonly host: FakeHost) {}

  hears(): boolean {
    if (this.missed > 0) {
      this.missed--;
      return false;
    }
    return this.answers;
  }

  async execute(command: string, args: AgentArguments): Promise<unknown> {
    if (command === "guest-exec") return { pid: await this.exec(args) };
    if (command === "guest-exec-status") return this.status(args.pid ?? 0);
    if (command === "guest-file-open") return this.open(args.path ?? "", args.mode ?? "r");
    if (command === "guest-file-read") return this.read(args.handle ?? 0);
    if (command === "guest-file-write") return this.write(args.handle ?? 0, args["buf-b64"] ?? "");
    return {};
  }

  private async exec({ path = "", arg = [], env = [], "input-data": input }: AgentArguments): Promise<number> {
    const [, script, , ...rest] = arg;
    if (path === "/bin/rm") return 0;
    if (script?.startsWith("kill")) {
      const [signal, pid] = rest;
      if (signal === "TERM" || signal === "INT" || signal === "KILL") {
        this.programs.get(Number(pid))?.child.signal(`SIG${signal}`);
      }
      return 0;
    }
    const [, stdout = "", stderr = "", stdin = "", ...argv] = rest;
    const given = stdin === "" ? Buffer.from(input ?? "", "base64") : this.files.get(stdin);
    this.files.delete(stdin);
    for (const file of [stdout, stderr]) this.files.set(file, Buffer.alloc(0));
    const child = await this.host.exec.spawn(argv, {
      env: Object.fromEntries(env.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])),
      ...(given === undefined || given.length === 0 ? {} : { input: given }),
      onOutput: (stream, chunk) => {
        const file = stream === "stdout" ? stdout : stderr;
        this.files.set(file, Buffer.concat([this.files.get(file) ?? Buffer.alloc(0), Buffer.from(chunk)]));
      },
    });
    const pid = this.programs.size + 100;
    const program: { child: ChildProcess; exitCode?: number } = { child };
    this.programs.set(pid, program);
    void child.wait().then(({ exitCode }) => {
      program.exitCode = exitCode;
    });
    return pid;
  }

  private status(pid: number): object {
    const exitCode = this.programs.get(pid)?.exitCode;
    return exitCode === undefined ? { exited: false } : { exited: true, exitcode: exitCode };
  }

  private open(path: string, mode: string): number {
    if (mode === "w") this.files.set(path, Buffer.alloc(0));
    if (!this.files.has(path)) {
      throw refused("agent", 1, `unable to execute QEMU agent command 'guest-file-open': No such file or directory`);
    }
    return this.handles.push({ path, at: 0 }) - 1;
  }

  private read(handle: number): object {
    const file = this.handles[handle];
    const rest = this.files.get(file?.path ?? "")?.subarray(file?.at) ?? Buffer.alloc(0);
    if (file) file.at += rest.length;
    return { count: rest.length, "buf-b64": rest.toString("base64"), eof: true };
  }

  private write(handle: number, data: string): object {
    const path = this.handles[handle]?.path ?? "";
    const bytes = Buffer.from(data, "base64");
    this.files.set(path, Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), bytes]));
    return { count: bytes.length };
  }
}

function refused(call: string, code: number, message: string) {
  return faultError({ call, code, domain: 10, level: 2, message });
}
