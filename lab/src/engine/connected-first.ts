import type { LabHost } from "../host/lab-host.js";

/** What a driver does at once, without asking its host. */
const AT_ONCE: readonly PropertyKey[] = ["rungs", Symbol.asyncDispose];

/** The driver, whose calls wait until its host can tell about itself: drivers read that without waiting. */
export function connectedFirst<D extends object>(driver: D, host: LabHost): D {
  return new Proxy(driver, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (AT_ONCE.includes(key)) return value.bind(target);
      return async (...args: unknown[]) => {
        await host.connected();
        return value.apply(target, args);
      };
    },
  });
}
