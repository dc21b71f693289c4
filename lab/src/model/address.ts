/** IPv4 addresses, prefixes and MAC addresses as the lab file writes them. */

export interface Prefix {
  /** Host order. */
  readonly address: number;
  readonly length: number;
}

export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** `169.254.9.8/24`: an address and the length of its network. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)\/(\d{1,2})$/.exec(text);
  const address = parseIpv4(match?.[1] ?? "");
  const length = Number(match?.[2]);
  return address === undefined || length > 32 ? undefined : { address, length };
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${formatIpv4(address)}/${length}`;
}

/** First and last address that a host may have. */
export function hostRange({ address, length }: Prefix): { first: number; last: number } {
  const size = 2 ** (32 - length);
  const network = Math.floor(address / size) * size;
  return size > 2 ? { first: network + 1, last: network + size - 2 } : { first: network, last: network + size - 1 };
}

export function isHostOf(prefix: Prefix, address: number): boolean {
  const { first, last } = hostRange(prefix);
  return address >= first && address <= last;
}

/** Whether the address is one of the network's, its first and last one included. */
export function isNetworkOf({ address: own, length }: Prefix, address: number): boolean {
  const size = 2 ** (32 - length);
  return Math.floor(own / size) === Math.floor(address / size);
}

/** Six bytes in lower case, or undefined when it is not a unicast MAC address. */
export function parseMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  const multicast = Number.parseInt(text.slice(0, 2), 16) % 2 === 1;
  return multicast || /^0+$/.test(text.replaceAll(":", "")) ? undefined : text.toLowerCase();
}

/** The n-th MAC address that the lab gives out: locally administered, 02:00:00:00:00:01 for 1. */
export function labMac(n: number): string {
  const hex = n.toString(16).padStart(8, "0");
  return `02:00:${(hex.match(/../g) ?? []).join(":")}`;
}
