/** The driver of each kind of switch, behind the one interface. */
import type { ImpairModel } from "../../model/topology.js";
import type { CapturePoint, SwitchDriver, SwitchSpec } from "../switch-driver.js";

export class SwitchDrivers implements SwitchDriver {
  constructor(private readonly drivers: Readonly<Record<SwitchSpec["kind"], SwitchDriver>>) {}

  start(spec: SwitchSpec, signal: AbortSignal) {
    return this.drivers[spec.kind].start(spec, signal);
  }

  connect(spec: SwitchSpec, signal: AbortSignal) {
    return this.drivers[spec.kind].connect(spec, signal);
  }

  observe(spec: SwitchSpec) {
    return this.drivers[spec.kind].observe(spec);
  }

  impair(spec: SwitchSpec, link: string, impair: ImpairModel | undefined) {
    return this.drivers[spec.kind].impair(spec, link, impair);
  }

  linkState(spec: SwitchSpec, link: string) {
    return this.drivers[spec.kind].linkState(spec, link);
  }

  capture(spec: SwitchSpec, points: readonly CapturePoint[], signal: AbortSignal) {
    return this.drivers[spec.kind].capture(spec, points, signal);
  }

  stop(spec: SwitchSpec) {
    return this.drivers[spec.kind].stop(spec);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const driver of Object.values(this.drivers)) await driver[Symbol.asyncDispose]();
  }
}
