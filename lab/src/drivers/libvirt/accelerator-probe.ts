/**
 * kvm or tcg? Found out by trying, because /dev/kvm may be there and of no use: a nested hypervisor may interpret the
 * guest instruction by instruction, or refuse the processor model.
 *
 * First a few bytes of code are timed; then, when there is one, the guest's kernel must print its first line in time.
 * The verdict is kept for as long as the host, its kernel and QEMU stay the same.
 */
import { join } from "node:path";
import type { RunResult } from "../../host/exec.js";
import type { Host } from "../../host/host.js";
import { resolveLayout } from "../../host/layout.js";
import type { AcceleratorVerdict, AcceleratorWish } from "../../model/accelerator.js";
import { VnflabError } from "../../model/error.js";
import { EXIT_CODE, EXIT_PORT, probeBios } from "./probe-code.js";

const EMULATOR = "qemu-system-x86_64";
/** The guest image's kernel, when the image is built. */
const IMAGE_KERNEL = "build/images/guest/current/vmlinuz";
const ROUNDS = 100_000_000;
const CODE_MS = 5000;
const KERNEL_MS = 20_000;
const FIRST_LINE = "Linux version";

interface ProbeOptions {
  readonly emulator: string;
  /** A kernel to try in the second step. */
  readonly kernel?: string;
}

interface Trial {
  readonly usable: boolean;
  readonly reason: string;
}

/** Throws VNF_KVM_UNUSABLE when kvm is demanded and does not work. */
export async function chooseAccelerator(host: Host, wish: AcceleratorWish): Promise<AcceleratorVerdict> {
  if (wish === "tcg") return { accelerator: "tcg", reason: "it was asked for" };
  const { usable, reason } = await triedKvm(host);
  if (usable) return { accelerator: "kvm", reason };
  if (wish === "kvm") throw new VnflabError("VNF_KVM_UNUSABLE", `KVM is demanded and cannot be used: ${reason}`);
  return { accelerator: "tcg", reason: `KVM cannot be used: ${reason}` };
}

async function triedKvm(host: Host): Promise<Trial> {
  if ((await host.files.kind("/dev/kvm")) === undefined) return { usable: false, reason: "there is no /dev/kvm" };
  const emulator = await host.exec.which(EMULATOR);
  if (emulator === undefined) return { usable: false, reason: `there is no ${EMULATOR} to try it with` };
  const kernel = join(host.root, IMAGE_KERNEL);
  const options = { emulator, ...((await host.files.kind(kernel)) === "file" ? { kernel } : {}) };
  const { cacheDir } = await resolveLayout(host);
  const record = join(cacheDir, "accelerator.json");
  const identity = await identityOf(host, options);
  const known = parseRecord(await host.files.readText(record));
  if (known?.identity === identity) return known.trial;
  const trial = await tryKvm(host, options, cacheDir);
  // A missing permission can be mended at any moment, and is found again at once.
  if (!/permission denied/i.test(trial.reason)) await host.files.write(record, JSON.stringify({ identity, trial }));
  return trial;
}

async function tryKvm(host: Host, options: ProbeOptions, cacheDir: string): Promise<Trial> {
  const bios = join(cacheDir, "accelerator-probe.bin");
  await host.files.write(bios, probeBios(ROUNDS));
  try {
    const code = await tryCode(host, options.emulator, bios);
    if (!code.usable || options.kernel === undefined) return code;
    return await tryKernel(host, options.emulator, options.kernel);
  } finally {
    await host.files.remove(bios);
  }
}

function command(emulator: string, ...more: string[]): string[] {
  const machine = ["-machine", "q35,accel=kvm", "-cpu", "host", "-display", "none", "-nodefaults", "-no-user-config"];
  return [emulator, ...machine, "-no-reboot", ...more];
}

async function tryCode(host: Host, emulator: string, bios: string): Promise<Trial> {
  const exit = `isa-debug-exit,iobase=${EXIT_PORT},iosize=1`;
  const argv = command(emulator, "-m", "16", "-bios", bios, "-device", exit);
  const begin = host.clock.now();
  const result = await host.exec.run(argv, { timeoutMs: CODE_MS });
  const took = Math.round(host.clock.now() - begin);
  if (result.exitCode === EXIT_CODE) return { usable: true, reason: `KVM ran the probe in ${took} ms` };
  if (took < CODE_MS) return { usable: false, reason: `QEMU ended: ${complaint(result)}` };
  return { usable: false, reason: `${ROUNDS / 1e6} million loops of code took more than ${CODE_MS / 1000} s under it` };
}

async function tryKernel(host: Host, emulator: string, kernel: string): Promise<Trial> {
  const append = ["-append", "console=ttyS0 panic=-1"];
  const argv = command(emulator, "-m", "256", "-kernel", kernel, ...append, "-serial", "stdio");
  const seen = new AbortController();
  let printed = "";
  const begin = host.clock.now();
  const onOutput = (_stream: string, chunk: string) => {
    printed += chunk;
    if (printed.includes(FIRST_LINE)) seen.abort();
  };
  const result = await host.exec.run(argv, { timeoutMs: KERNEL_MS, signal: seen.signal, onOutput });
  const took = Math.round(host.clock.now() - begin);
  if (printed.includes(FIRST_LINE)) return { usable: true, reason: `KVM booted the guest's kernel in ${took} ms` };
  if (took < KERNEL_MS) return { usable: false, reason: `QEMU ended: ${complaint(result)}` };
  return { usable: false, reason: `the guest's kernel printed nothing within ${KERNEL_MS / 1000} s under it` };
}

function complaint({ stderr, exitCode }: RunResult): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return lines[0] ?? `exit code ${exitCode}`;
}

/** What the verdict depends on. */
async function identityOf(host: Host, { emulator, kernel }: ProbeOptions): Promise<string> {
  const { files, exec } = host;
  const [boot, release] = await Promise.all(
    ["random/boot_id", "osrelease"].map((name) => files.readText(`/proc/sys/kernel/${name}`)),
  );
  const modules = (await files.list("/sys/module")).filter((name) => name.startsWith("kvm"));
  const { stdout } = await exec.run([emulator, "--version"]);
  return [boot, release, modules.join("+"), emulator, stdout.split("\n")[0], kernel ?? "", host.uid]
    .map((part) => String(part ?? "").trim())
    .join(" | ");
}

function parseRecord(text: string | undefined): { identity: string; trial: Trial } | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as { identity: string; trial: Trial });
  } catch {
    return undefined;
  }
}
