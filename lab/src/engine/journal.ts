/** One line before each action and one after: what a crash has left can be read from it. */
import { join } from "node:path";
import type { VnflabError } from "../model/error.js";
import type { Action } from "../plan/plan.js";
import type { EngineContext } from "./context.js";

export class Journal {
  constructor(
    private readonly context: EngineContext,
    private readonly stateDir: string,
  ) {}

  begin(action: Action): Promise<void> {
    return this.write({ phase: "begin", action });
  }

  end(action: Action, error?: VnflabError): Promise<void> {
    return this.write(error ? { phase: "failed", action, error } : { phase: "done", action });
  }

  private async write(entry: object): Promise<void> {
    const { files, clock } = this.context.host;
    const line = JSON.stringify({ time: clock.wallTime().toISOString(), ...entry });
    await files.append(join(this.stateDir, "journal.jsonl"), `${line}\n`);
  }
}
