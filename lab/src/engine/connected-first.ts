import type { LabHost } from "../host/lab-host.js";

/** What a driver does at once, without asking its host. */
const AT_ONCE: readonly PropertyKey[] = ["rungs", "terminal", Symbol.asyncDispose];
/** What gives chunks as they come, not a promise. */
const IN_CHUNKS: readonly PropertyKey[] = ["readFile"];
/** Parts of a driver that have calls of their own. */
const PARTS: readonly PropertyKey[] = ["control"];

/** The driver, whose calls wait until its host can tell about itself: drivers read that without waiting. */
export function connectedFirst<D extends object>(driver: D, host: Pick<LabHost, "connected">): D {
  return new Proxy(driver, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (PARTS.includes(key)) return connectedFirst(value as object, host);
      if (typeof value !== "function") return value;
      if (AT_ONCE.includes(key)) return value.bind(target);
      if (IN_CHUNKS.includes(key)) {
        return async function* (...args: unknown[]) {
          await host.connected();
          yield* value.apply(target, args) as AsyncIterable<unknown>;
        };
      }
      return async (...args: unknown[]) => {
        await host.connected();
        return value.apply(target, args);
      };
    },
  });
}
