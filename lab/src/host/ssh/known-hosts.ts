/** Keys of a host that this user has accepted. */
import { createHash } from "node:crypto";
import { VnflabError } from "../../model/error.js";
import type { Host } from "../host.js";
import { type Destination, knownHostsName } from "./destination.js";

export interface KnownKey {
  /** `ssh-ed25519`, ... */
  readonly type: string;
  readonly blob: Buffer;
}

/** ssh-keygen looks them up, hashed names included. */
export async function knownKeys(near: Host, destination: Destination): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const file of destination.knownHostsFiles) {
    if ((await near.files.kind(file)) !== "file") continue;
    const { stdout } = await near.exec.run(["ssh-keygen", "-F", knownHostsName(destination), "-f", file]);
    keys.push(...parseKnownKeys(stdout));
  }
  return keys;
}

export function parseKnownKeys(text: string): KnownKey[] {
  return text.split("\n").flatMap((line) => {
    // Marks such as @revoked stand before the names; such keys are none.
    const [names = "", type, key] = line.split(" ");
    if (names === "" || names.startsWith("#") || names.startsWith("@") || !type || !key) return [];
    return [{ type, blob: Buffer.from(key, "base64") }];
  });
}

export function isKnown(keys: readonly KnownKey[], offered: Buffer): boolean {
  return keys.some(({ blob }) => blob.equals(offered));
}

/** As OpenSSH writes it. */
function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

export function refusal(destination: Destination, keys: readonly KnownKey[], offered: Buffer): VnflabError {
  const { name, host, port } = destination;
  const scan = `ssh-keyscan -H -p ${port} ${host} >> ~/.ssh/known_hosts`;
  if (keys.length === 0) {
    return new VnflabError("VNF_SSH_HOST_KEY", `the key of ${name} is not known: ${fingerprint(offered)}`, {
      hint: `Compare the fingerprint with the host's own, then \`${scan}\`.`,
    });
  }
  return new VnflabError("VNF_SSH_HOST_KEY", `the key of ${name} has changed: it is ${fingerprint(offered)}`, {
    hint: `Somebody may be in between. If the host was installed anew: \`ssh-keygen -R '${knownHostsName(destination)}'\`, then \`${scan}\`.`,
  });
}
