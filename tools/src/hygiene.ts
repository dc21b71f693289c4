/** What a tracked file must be: small, text, LF, no trailing blanks, with a licence line in C. */

export interface TrackedFile {
  path: string;
  bytes: Buffer;
  executable: boolean;
}

export const maxBytes = 256 * 1024;

function binary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8000).includes(0);
}

function textFaults({ path, bytes, executable }: TrackedFile): string[] {
  const text = bytes.toString("utf8");
  const faults: string[] = [];
  if (text.includes("\r")) faults.push("carriage return");
  if (text !== "" && !text.endsWith("\n")) faults.push("no newline at the end");
  if (/[ \t]$/m.test(text) && !/(^|\/)golden\/|\.(txt|md|hex)$/.test(path)) faults.push("blanks at the end of a line");
  if (executable && !text.startsWith("#!")) faults.push("executable without #!");
  if (/\.[ch]$/.test(path) && !text.startsWith("/* SPDX-License-Identifier: BSD-3-Clause"))
    faults.push("does not open with its SPDX licence line");
  return faults;
}

/** One message a fault; empty when the file is as it should be. */
export function hygieneFaults(file: TrackedFile): string[] {
  if (file.bytes.length > maxBytes) return [`${file.bytes.length} bytes: more than ${maxBytes}`];
  if (binary(file.bytes)) return ["binary file"];
  return textFaults(file);
}
