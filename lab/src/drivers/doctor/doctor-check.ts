/** A check of `vnflab doctor`: looks at one thing of the host, changes nothing that it does not put back. */
import type { Host } from "../../host/host.js";
import type { Finding, Fix } from "../../model/finding.js";

export type Judgement = Omit<Finding, "check">;

export interface DoctorCheck {
  readonly name: string;
  /** Never throws for what it looks for; what it throws is reported as a failure of the check. */
  look(host: Host): Promise<Judgement>;
}

/** What root has to do, as a hint and as commands for `--fix`. Words without blanks or quotes, or scripts for `sh -c`. */
export function byRoot(...commands: readonly (readonly string[])[]): { hint: string; fix: Fix } {
  const hint = commands.map((argv) => `sudo ${argv.map(quote).join(" ")}`).join(" && ");
  return { hint, fix: { commands, needsRoot: true } };
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The first group of a match in a file of /proc or /sys, or undefined. */
export async function grep(host: Host, file: string, line: RegExp): Promise<string | undefined> {
  return line.exec((await host.files.readText(file)) ?? "")?.[1];
}

/** A file of one line. */
export async function readLine(host: Host, file: string): Promise<string | undefined> {
  return (await host.files.readText(file))?.trim();
}
