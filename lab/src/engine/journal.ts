/**
 * One line before each action and one after: what a crash has left can be read from it. A journal begins anew when a
 * command changes a lab that is settled; after a crash it goes on, until the lab is settled again.
 */
import { join } from "node:path";
import { crashPoint } from "../host/crash-point.js";
import type { Files } from "../host/files.js";
import type { VnflabError } from "../model/error.js";
import type { Action } from "../plan/action.js";
import type { JournalEntry } from "../plan/unfinished.js";
import type { EngineContext } from "./context.js";

export class Journal {
  private constructor(
    private readonly context: EngineContext,
    private readonly file: string,
  ) {}

  /** `anew`: nothing of an earlier command is of interest any more. */
  static async open(
    context: EngineContext,
    stateDir: string,
    command: string,
    options: { readonly anew: boolean },
  ): Promise<Journal> {
    const journal = new Journal(context, journalFile(stateDir));
    if (options.anew) await context.host.files.remove(journal.file);
    await context.host.files.makeDirectory(stateDir);
    await journal.write({ phase: "run", command, pid: (await context.host.exec.self()).pid });
    return journal;
  }

  begin(action: Action): Promise<void> {
    return this.write({ phase: "begin", action });
  }

  end(action: Action, error?: VnflabError): Promise<void> {
    return this.write(error ? { phase: "failed", action, error } : { phase: "done", action });
  }

  private async write(entry: object): Promise<void> {
    const { host } = this.context;
    const line = JSON.stringify({ time: host.clock.wallTime().toISOString(), ...entry });
    await host.files.append(this.file, `${line}\n`);
    crashPoint(host);
  }
}

/** Every whole line; the last one may have been cut short by a crash or a full disk. */
export async function readJournal(files: Files, stateDir: string): Promise<JournalEntry[]> {
  const text = (await files.readText(journalFile(stateDir))) ?? "";
  return text.split("\n").flatMap((line): JournalEntry[] => {
    try {
      return [JSON.parse(line) as JournalEntry];
    } catch {
      return [];
    }
  });
}

export function journalFile(stateDir: string): string {
  return join(stateDir, "journal.jsonl");
}
