/** What a host's figures cannot say, as it stands on every figure. */
import type { Report } from "./report.js";

/** Letters of a line above a drawing as wide as ours. */
const LINE = 88;

export function stampTitle({ stamp }: Pick<Report, "stamp">): string {
  return stamp.length > 0 ? "What this host cannot tell" : "All checks of the host passed";
}

/** In one sentence, below a figure. */
export function stampSentence(report: Pick<Report, "stamp">): string {
  const { stamp } = report;
  return stamp.length > 0 ? `${stampTitle(report)}: ${stamp.join("; ")}.` : `${stampTitle(report)}.`;
}

/** For drawings, where no text wraps by itself. */
export function stampLines({ stamp }: Pick<Report, "stamp">): string[] {
  return stamp.flatMap(wrapped);
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > LINE) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
