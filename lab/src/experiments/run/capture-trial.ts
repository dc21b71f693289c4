/** The first frames of a trial, for whoever wants to see what its figures are about. */
import { Capture } from "../../engine/capture.js";
import type { Lab, LabMachine } from "../../engine/lab.js";
import { asVnflabError } from "../../model/error.js";

/** At most so many: how connections begin, and what the load looks like. */
const MOST_FRAMES = 1000;

/**
 * Both directions at the client's ports. Under load so many are over early in the warm-up, and the time that counts is
 * not disturbed. A capture that cannot be had is told, and no reason for a trial to fail.
 */
export class TrialCapture implements AsyncDisposable {
  private readonly over = new AbortController();
  private written: Promise<void> | undefined;

  constructor(
    private readonly lab: Lab,
    private readonly client: LabMachine,
  ) {}

  /** Before the client starts. */
  async begin(file: string): Promise<void> {
    const { context, record } = this.lab;
    const options = { signal: this.over.signal, maxPackets: MOST_FRAMES };
    try {
      const capture = await Capture.begin(context, record.lab, this.client.name, options);
      this.written = context.host.files
        .write(file, capture.content())
        .then(() => void capture.summary())
        .catch((error: unknown) => this.tell(error));
    } catch (error) {
      this.tell(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.over.abort();
    await this.written;
  }

  private tell(error: unknown): void {
    this.lab.context.emit({ type: "note", text: `no capture: ${asVnflabError(error).message}` });
  }
}
