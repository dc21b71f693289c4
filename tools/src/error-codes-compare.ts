/** Which error codes stand in the reference and which ones the tests have produced. Pure. */

/** The codes of the reference's table, in its order. */
export function documentedCodes(page: string): string[] {
  return [...page.matchAll(/^\| `(VNF_[A-Z0-9_]+)` \|/gm)].map(([, code = ""]) => code);
}

/** One line for each code that is in one of the lists only. */
export function differences(documented: readonly string[], produced: readonly string[]): string[] {
  const made = new Set(produced);
  const known = new Set(documented);
  return [
    ...documented
      .filter((code) => !made.has(code))
      .map((code) => `${code} is documented, and no unit test produces it`),
    ...[...made].filter((code) => !known.has(code)).map((code) => `${code} is produced by a test, and not documented`),
  ];
}
