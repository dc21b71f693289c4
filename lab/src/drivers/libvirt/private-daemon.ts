/**
 * A libvirtd of the lab's own, below its run folder.
 *
 * It runs in session mode for everybody, so that nothing of it is outside the folders named here. libvirtd of root
 * would insist on /run/libvirt, /var/lib/libvirt and more; root's daemon is therefore kept from being root (not-root.ts).
 * It ends by itself when it has neither clients nor domains for a while. Guests survive it: a new
 * daemon over the same folders finds them again.
 */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { ProcessIdentity } from "../../host/exec.js";
import type { Host } from "../../host/host.js";
import { labMarks } from "../../host/marked-processes.js";
import { parseProcStat } from "../../host/proc-stat.js";
import { waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import { type Disguise, disguiseFor } from "./not-root.js";

const IDLE_S = 120;
const START_MS = 30_000;
const STOP_MS = 10_000;
const LOG_LINES = 15;
/** Bytes of sun_path without the final zero. */
export const SOCKET_PATH_MAX = 107;

/** The longest path that libvirt makes below the daemon's folder. */
function monitorSocket(dir: string): string {
  return join(dir, "libvirt", "qemu", "lib", `domain-1000-${"x".repeat(20)}`, "monitor.sock");
}

/** In bytes. */
export function monitorSocketLength(dir: string): number {
  return Buffer.byteLength(monitorSocket(dir));
}

export interface DaemonFolders {
  /** Folder of this daemon alone, in the lab's run folder. */
  readonly dir: string;
  /** Shared by all labs: what libvirt found out about QEMU (several seconds of work) and QEMU's logs. */
  readonly cacheHome: string;
}

export class PrivateDaemon {
  private starting: Promise<void> | undefined;
  private readonly socket: string;
  private readonly configFile: string;
  private readonly pidFile: string;
  readonly logFile: string;

  constructor(
    private readonly host: Host,
    private readonly folders: DaemonFolders,
  ) {
    this.socket = join(folders.dir, "libvirt-sock");
    this.configFile = join(folders.dir, "libvirtd.conf");
    this.pidFile = join(folders.dir, "libvirtd.pid");
    this.logFile = join(folders.dir, "libvirtd.log");
  }

  get uri(): string {
    return `qemu+unix:///session?socket=${this.socket}`;
  }

  /** Where QEMU's own messages of a domain go. */
  qemuLog(domain: string): string {
    return join(this.folders.cacheHome, "libvirt", "qemu", "log", `${domain}.log`);
  }

  /** The daemon runs when this resolves. */
  async ensure(): Promise<void> {
    this.starting ??= this.startUnlessRunning().finally(() => {
      this.starting = undefined;
    });
    await this.starting;
  }

  async identity(): Promise<ProcessIdentity | undefined> {
    return this.identify(this.pidFile, this.configFile);
  }

  /** The QEMU of a domain, whether or not the daemon runs. */
  async guest(domain: string): Promise<ProcessIdentity | undefined> {
    return this.identify(join(this.guestRecords(), `${domain}.pid`), `guest=${domain}`);
  }

  /** True when a daemon over these folders would know the domain. */
  async knows(domain: string): Promise<boolean> {
    const { files } = this.host;
    const traces = [join(this.folders.dir, "libvirt", "qemu", `${domain}.xml`), this.guestRecord(domain)];
    const kinds = await Promise.all(traces.map((path) => files.kind(path)));
    return kinds.some((kind) => kind !== undefined);
  }

  /** Ends the daemon and whatever guest it still has, and removes its folder. */
  async stop(): Promise<void> {
    const daemon = await this.identity();
    if (daemon) await this.host.exec.stop(daemon, STOP_MS);
    for (const name of await this.host.files.list(this.guestRecords())) {
      if (!name.endsWith(".pid")) continue;
      const guest = await this.guest(name.slice(0, -".pid".length));
      if (guest) await this.host.exec.stop(guest, STOP_MS);
    }
    await this.host.files.remove(this.folders.dir);
  }

  private guestRecords(): string {
    return join(this.folders.dir, "run", "libvirt", "qemu", "run");
  }

  private guestRecord(domain: string): string {
    return join(this.guestRecords(), `${domain}.pid`);
  }

  private async startUnlessRunning(): Promise<void> {
    if ((await this.identity()) && (await this.host.sockets.isListening(`unix:${this.socket}`))) return;
    const disguise = await disguiseFor(this.host);
    await this.prepare(disguise);
    const argv = [...disguise.command(this.folders.dir), await this.program()];
    const started = await this.host.exec
      .startDaemon([...argv, "-f", this.configFile, "-p", this.pidFile, "--timeout", String(IDLE_S)], {
        logFile: this.logFile,
        env: this.environment(disguise.seenAt),
      })
      .catch(() => undefined);
    if (!started) throw await this.endedAtOnce();
    await waitFor<void>(this.host.clock, () => this.look(started), {
      deadlineMs: START_MS,
      signal: new AbortController().signal,
      onDeadline: (lastSeen) => new VnflabError("VNF_LIBVIRT", `libvirtd did not come up: ${lastSeen}`),
    });
  }

  private async look(started: ProcessIdentity) {
    if (await this.host.sockets.isListening(`unix:${this.socket}`)) return { reached: true, value: undefined } as const;
    if (await this.host.exec.isAlive(started)) {
      return { reached: false, lastSeen: `nobody listens on ${this.socket}` } as const;
    }
    throw await this.endedAtOnce();
  }

  private async endedAtOnce(): Promise<VnflabError> {
    const lines = await this.host.files.tail(this.logFile, LOG_LINES);
    const log = { file: this.logFile, lines };
    return new VnflabError("VNF_LIBVIRT", "libvirtd ended as soon as it was started", { log });
  }

  /** Writes the configuration; keeps what an earlier daemon recorded about running guests. */
  private async prepare({ settings: more }: Disguise): Promise<void> {
    const { files } = this.host;
    const { dir, cacheHome } = this.folders;
    this.checkLength(monitorSocket(dir));
    for (const path of [dir, this.environment().XDG_RUNTIME_DIR ?? dir, cacheHome]) {
      await files.makeDirectory(path, { mode: 0o700 });
    }
    const settings = {
      unix_sock_dir: dir,
      auth_unix_ro: "none",
      auth_unix_rw: "none",
      host_uuid: randomUUID(),
      log_outputs: "3:stderr",
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key} = "${value}"\n`);
    await files.write(this.configFile, lines.join(""));
    await files.write(
      join(dir, "libvirt", "qemu.conf"),
      `stdio_handler = "file"\nsecurity_driver = "none"\ncgroup_controllers = []\n${more}`,
    );
    if (!(await this.identity())) await files.remove(this.socket);
  }

  private checkLength(path: string): void {
    const bytes = Buffer.byteLength(path);
    if (bytes <= SOCKET_PATH_MAX) return;
    throw new VnflabError(
      "VNF_PATH_TOO_LONG",
      `libvirt's monitor socket would be ${path}, ${bytes} bytes long; ${SOCKET_PATH_MAX} is the limit`,
    );
  }

  /** `seenAt`: where the daemon sees its folder. */
  private environment(seenAt?: string): Readonly<Record<string, string>> {
    const { cacheHome } = this.folders;
    const dir = seenAt ?? this.folders.dir;
    return {
      ...labMarks(dirname(this.folders.dir)),
      HOME: dir,
      XDG_CONFIG_HOME: dir,
      XDG_RUNTIME_DIR: join(dir, "run"),
      XDG_DATA_HOME: join(dir, "data"),
      XDG_CACHE_HOME: cacheHome,
    };
  }

  private async program(): Promise<string> {
    const found = await this.host.exec.which("libvirtd");
    if (found !== undefined) return found;
    // Not in the PATH of ordinary users.
    const usual = "/usr/sbin/libvirtd";
    if ((await this.host.files.kind(usual)) === "file") return usual;
    throw new VnflabError("VNF_TOOL_MISSING", "libvirtd is not installed", {
      hint: "Run `make setup` (Debian: apt-get install libvirt-daemon libvirt-daemon-driver-qemu).",
    });
  }

  /** The process of a pid file, unless the pid has been recycled: its command line must hold this mark. */
  private async identify(pidFile: string, mark: string): Promise<ProcessIdentity | undefined> {
    const { files, exec } = this.host;
    const pid = Number((await files.readText(pidFile))?.trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const commandLine = (await files.readText(`/proc/${pid}/cmdline`)) ?? "";
    if (!commandLine.split("\0").some((argument) => argument === mark || argument.startsWith(`${mark},`))) {
      return undefined;
    }
    const { startTicks } = parseProcStat((await files.readText(`/proc/${pid}/stat`)) ?? "");
    const identity = { pid, startTicks };
    return (await exec.isAlive(identity)) ? identity : undefined;
  }
}
