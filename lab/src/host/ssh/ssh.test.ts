import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeHost } from "../fake-host.js";
import { SshConnection } from "./connection.js";
import { type Destination, knownHostsName, parseConfig, resolveDestination } from "./destination.js";
import { parseKnownKeys } from "./known-hosts.js";

const { generateKeyPairSync } = ssh2.utils;
// One in 300 of the Ed25519 keys that ssh2 generates has a byte too few, which ssh2 itself then cannot read.
const newKey = () => generateKeyPairSync("ecdsa", { bits: 256 });
const hostKey = newKey();
const otherKey = newKey();
const userKey = newKey();

let server: ssh2.Server;
let folder: string;
let accepts: boolean;
let destination: Destination;

/** A host that knows one command, with the keys that this user knows of it. */
async function near(known: string | undefined) {
  const host = fakeHost();
  await host.files.write("/key", userKey.private);
  await host.files.write("/known_hosts", "");
  host.exec.install("ssh-keygen", ({ print }) => {
    if (known !== undefined) print("stdout", `# Host found\n[127.0.0.1]:1 ${known}\n`);
    return known === undefined ? 1 : 0;
  });
  return host;
}

beforeEach(async () => {
  accepts = true;
  folder = await mkdtemp(join(tmpdir(), "vnflab-ssh-"));
  server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (attempt) => (accepts ? attempt.accept() : attempt.reject()));
    client.on("session", (accept) => {
      accept().on("exec", (take, _reject, { command }) => {
        const channel = take();
        channel.stderr.write("oops\n");
        channel.write(command);
        channel.exit(7);
        channel.end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  destination = {
    ...{ name: "there", host: "127.0.0.1", port, user: "u" },
    ...{ identityFiles: ["/absent", "/key"], knownHostsFiles: ["/known_hosts"] },
  };
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

describe("a connection by ssh", () => {
  it("runs commands, every word quoted", async () => {
    const connection = await SshConnection.open(await near(hostKey.public), destination);
    const result = await connection.run(["a b", "$c"]);
    expect(result).toEqual({ exitCode: 7, stdout: "exec $'a b' $'$c'", stderr: "oops\n" });
    connection.close();
  });

  it("refuses a host whose key is not known, or another one, with its fingerprint", async () => {
    await expect(SshConnection.open(await near(undefined), destination)).rejects.toMatchObject({
      code: "VNF_SSH_HOST_KEY",
      message: /^the key of there is not known: SHA256:\S{43}$/,
    });
    await expect(SshConnection.open(await near(otherKey.public), destination)).rejects.toMatchObject({
      code: "VNF_SSH_HOST_KEY",
      message: /^the key of there has changed/,
    });
  });

  it("says who does not let us in, and when nobody answers", async () => {
    accepts = false;
    await expect(SshConnection.open(await near(hostKey.public), destination)).rejects.toMatchObject({
      code: "VNF_SSH",
      message: /there \(u@127.0.0.1, port \d+\) cannot be reached by ssh: .*authentication/,
    });
    await expect(SshConnection.open(await near(hostKey.public), { ...destination, port: 1 })).rejects.toMatchObject({
      message: /ECONNREFUSED/,
    });
    const keyless = { ...destination, identityFiles: [] };
    await expect(SshConnection.open(await near(hostKey.public), keyless)).rejects.toMatchObject({
      message: /no key to log in with/,
    });
  });
});

describe("a destination", () => {
  const config = [
    ...["user me", "hostname 10.0.0.1", "port 2222", "identityfile ~/.ssh/a", "identityfile /b"],
    ...["userknownhostsfile ~/.ssh/known_hosts /k2", "globalknownhostsfile /g", "identityagent SSH_AUTH_SOCK"],
  ].join("\n");

  it("is what OpenSSH makes of it", () => {
    const found = parseConfig("there", config, { HOME: "/home/me", SSH_AUTH_SOCK: "/agent" });
    expect(found).toEqual({
      ...{ name: "there", host: "10.0.0.1", port: 2222, user: "me", agent: "/agent" },
      identityFiles: ["/home/me/.ssh/a", "/b"],
      knownHostsFiles: ["/home/me/.ssh/known_hosts", "/k2", "/g"],
    });
    expect(knownHostsName(found)).toBe("[10.0.0.1]:2222");
    expect(parseConfig("there", `${config}\n`.replace("SSH_AUTH_SOCK", "none"), {}).agent).toBeUndefined();
  });

  it("is taken apart for it", async () => {
    const host = fakeHost({ VNFLAB_SSH_CONFIG: "/c" });
    const asked: string[][] = [];
    host.exec.install("ssh", ({ argv, print }) => {
      asked.push([...argv]);
      print("stdout", config);
      return 0;
    });
    await resolveDestination(host, "me@h:22");
    await resolveDestination(host, "h");
    expect(asked).toEqual([
      ["ssh", "-G", "-F", "/c", "-l", "me", "-p", "22", "--", "h"],
      ["ssh", "-G", "-F", "/c", "--", "h"],
    ]);
  });
});

it("revoked keys and comments are no known keys", () => {
  const text = "# Host x found\n@revoked x ssh-ed25519 AAAA\nx ssh-ed25519 AAAB\n\n";
  expect(parseKnownKeys(text)).toEqual([{ type: "ssh-ed25519", blob: Buffer.from("AAAB", "base64") }]);
});
