import { describe, expect, it } from "vitest";
import { type FakeHost, fakeHost } from "../../host/fake-host.js";
import { chooseAccelerator } from "./accelerator-probe.js";
import { EXIT_CODE, probeBios } from "./probe-code.js";

/** A host with /dev/kvm whose QEMU behaves so under it. */
async function hostWith(behaviour: (host: FakeHost) => Promise<number> | number, complaint = ""): Promise<FakeHost> {
  const host = fakeHost();
  await host.files.write("/dev/kvm", "");
  host.exec.install("qemu-system-x86_64", async ({ argv, print }) => {
    if (argv.includes("--version")) {
      print("stdout", "QEMU emulator version 10.0.2\n");
      return 0;
    }
    if (complaint) print("stderr", `${complaint}\n`);
    return behaviour(host);
  });
  return host;
}

async function hang(host: FakeHost): Promise<number> {
  await host.clock.delay(6000);
  return 143;
}

describe("the choice of the accelerator", () => {
  it("takes KVM when it runs code", async () => {
    const host = await hostWith(() => EXIT_CODE);
    expect((await chooseAccelerator(host, "auto")).accelerator).toBe("kvm");
    expect((await chooseAccelerator(host, "tcg")).accelerator).toBe("tcg");
  });

  it("takes TCG when there is no KVM, or one that hangs or refuses", async () => {
    expect(await chooseAccelerator(fakeHost(), "auto")).toMatchObject({ accelerator: "tcg", reason: /no \/dev\/kvm/ });
    const slow = await chooseAccelerator(await hostWith(hang), "auto");
    expect(slow).toMatchObject({ accelerator: "tcg", reason: /more than 5 s/ });
    const refusing = await hostWith(() => 134, "error: failed to set MSR 0x10a");
    expect(await chooseAccelerator(refusing, "auto")).toMatchObject({ accelerator: "tcg", reason: /MSR 0x10a/ });
  });

  it("refuses when KVM is demanded and does not work", async () => {
    await expect(chooseAccelerator(await hostWith(hang), "kvm")).rejects.toMatchObject({ code: "VNF_KVM_UNUSABLE" });
  });

  it("keeps the verdict until the host boots anew, but not a missing permission", async () => {
    let tried = 0;
    const host = await hostWith(() => {
      tried++;
      return EXIT_CODE;
    });
    for (const boot of ["a", "a", "b"]) {
      await host.files.write("/proc/sys/kernel/random/boot_id", boot);
      await chooseAccelerator(host, "auto");
    }
    expect(tried).toBe(2);
    const locked = await hostWith(() => 1, "Could not access KVM kernel module: Permission denied");
    await chooseAccelerator(locked, "auto");
    expect(locked.files.paths().some((path) => path.endsWith("accelerator.json"))).toBe(false);
  });

  it("leaves no probe behind", async () => {
    const host = await hostWith(() => EXIT_CODE);
    await chooseAccelerator(host, "auto");
    expect(host.files.paths().some((path) => path.endsWith(".bin"))).toBe(false);
  });
});

describe("the probe's code", () => {
  it("begins where the processor does and counts as long as asked", () => {
    const bios = probeBios(0x11223344);
    expect(bios).toHaveLength(64 * 1024);
    expect([...bios.subarray(0xfff0, 0xfff5)]).toEqual([0xea, 0, 0, 0, 0xf0]);
    expect(Buffer.from(bios).includes(Buffer.from([0xb9, 0x44, 0x33, 0x22, 0x11]))).toBe(true);
  });
});
