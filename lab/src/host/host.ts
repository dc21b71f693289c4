/** What the lab may do to the host it runs on. One real implementation (real-host.ts) and one fake (fake-host.ts). */
import type { Clock } from "./clock.js";
import type { Exec } from "./exec.js";
import type { Files } from "./files.js";
import type { Sockets } from "./sockets.js";

export interface Host {
  readonly exec: Exec;
  readonly files: Files;
  readonly clock: Clock;
  readonly sockets: Sockets;
  /** The environment variables of this process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Effective user id. */
  readonly uid: number;
  /** The Node program that runs this process, to run others with. */
  readonly node: string;
  /** Folder of the repository: templates, built programs, examples. */
  readonly root: string;
}
