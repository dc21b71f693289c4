/** What figures depend on, for reports. */
import { readHostDescription } from "../host/facts.js";
import type { Host } from "../host/host.js";

export function describeHost(host: Host): ReturnType<typeof readHostDescription> {
  return readHostDescription(host);
}
