/** Values with units as the lab file writes them -> numbers of the unit that the names in the code say. */

const TIME_US: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };
const RATE_BPS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/** `10ms`, `250us`, `0.5s` -> microseconds. */
export function parseTimeUs(text: string): number | undefined {
  const match = /^(\d{1,7}(?:\.\d{1,6})?)(us|ms|s)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (TIME_US[match[2] ?? ""] ?? Number.NaN)) : undefined;
}

/** `1%`, `0.1%` -> a fraction of 1; more than 100 % is none. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text);
  const percent = Number(match?.[1]);
  return match && percent <= 100 ? percent / 100 : undefined;
}

/** `100M`, `2.5G`, `64k` -> bits a second, more than none. */
export function parseRateBps(text: string): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)([kMG])$/.exec(text);
  const bps = Math.round(Number(match?.[1]) * (RATE_BPS[match?.[2] ?? ""] ?? Number.NaN));
  return match && bps > 0 ? bps : undefined;
}

/** `512M`, `2G` -> MiB. The schema has checked the form. */
export function parseMib(size: string): number {
  return Number(size.slice(0, -1)) * (size.endsWith("G") ? 1024 : 1);
}
