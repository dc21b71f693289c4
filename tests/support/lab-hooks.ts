/** What scenarios need to be built, and what they do before, between and after their tests. */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Vnflab } from "./vnflab.js";

const SWITCH = "build/c/bess/switch/dataplane/libvportd_dp.so";

/** Of a lab of processes, for `missing()`. */
export const FOR_PROCESSES = ["build/c/stack/apps/tcp_sink", SWITCH];
/** Of a lab of virtual machines. */
export const FOR_VMS = ["build/images/guest/current/manifest.json", "build/images/guest/payload.img", SWITCH];

/** Each test brings up labs of its own. Hooks that a scenario adds after this call end before these do. */
export function eachTestLeavesNothing(vnflab: Vnflab): void {
  beforeAll(() => vnflab.make());
  afterEach(async () => {
    await vnflab.downAll();
    expect(vnflab.leftovers()).toEqual([]);
  });
  afterAll(() => vnflab.remove());
}

/** All tests share one lab. */
export function upForAllTests(vnflab: Vnflab, file: string): void {
  beforeAll(async () => {
    vnflab.make();
    await vnflab.must("up", file);
  });
  afterAll(async () => {
    await vnflab.downAll();
    const left = vnflab.leftovers();
    vnflab.remove();
    expect(left).toEqual([]);
  });
}
