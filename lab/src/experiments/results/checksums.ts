/** SHA256SUMS, as sha256sum(1) writes and checks it. */

export const SUMS = "SHA256SUMS";

export interface Sum {
  /** Relative to the file of sums. */
  readonly path: string;
  readonly sha256: string;
}

/** Far more than a bundle has. */
const MOST_LINES = 100_000;

export function formatSums(sums: readonly Sum[]): string {
  return sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
}

/** Undefined when it is something else, or names a file outside its folder. */
export function parseSums(text: string): Sum[] | undefined {
  const lines = text.split("\n").slice(0, -1);
  if (lines.length === 0 || lines.length > MOST_LINES) return undefined;
  const sums = lines.map((line) => {
    const [, sha256, path] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (!sha256 || !path || path.startsWith("/") || path.split("/").includes("..")) return undefined;
    return { path, sha256 };
  });
  return sums.includes(undefined) ? undefined : (sums as Sum[]);
}
