// SPDX-License-Identifier: BSD-3-Clause

export interface Mac {
  bytes: Uint8Array;
  /** The six bytes as one number, first byte highest: exact in a double. */
  number: number;
}

/** As lenient as bessd: one or two hex digits a byte, whatever follows the sixth is ignored. */
export function parseMac(text: string): Mac | undefined {
  const match =
    /^\s*([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2})/i.exec(text);
  if (match === null) return undefined;
  const bytes = Uint8Array.from(match.slice(1), (digits) => Number.parseInt(digits, 16));
  return { bytes, number: bytes.reduce((sum, byte) => sum * 256 + byte, 0) };
}

/** Six bytes as one number, spelled out. */
export function macText(mac: number): string {
  return (mac.toString(16).padStart(12, "0").match(/../g) ?? []).join(":");
}
