/** A machine of a lab, for programs. */
import { Application, type ApplicationResult } from "../engine/application.js";
import type { LabMachine } from "../engine/lab.js";

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string | Uint8Array;
  /** Called with output as it comes. */
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: string) => void;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
}

export class Machine {
  constructor(private readonly inner: LabMachine) {}

  get name(): string {
    return this.inner.name;
  }

  /** Of its first NIC, without the prefix length. */
  get address(): string {
    return this.inner.address;
  }

  /** Runs a command inside the machine to its end; an exit code is a result, not an error. */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input, env, onOutput } = options;
    const process = await this.inner.exec({
      argv,
      ...(env ? { env } : {}),
      ...(onOutput ? { onOutput } : {}),
      ...(input === undefined ? {} : { input: typeof input === "string" ? new TextEncoder().encode(input) : input }),
    });
    return process.wait();
  }

  /** Starts one of the stack's applications, such as tcp_sink, on the machine's stack. Disposing it stops it. */
  start(application: string, options: readonly string[]): Promise<Application> {
    return this.inner.start(application, options);
  }

  putFile(path: string, content: string | Uint8Array): Promise<void> {
    return this.inner.putFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  getFile(path: string): Promise<Uint8Array> {
    return this.inner.getFile(path);
  }
}

export { Application, type ApplicationResult };
