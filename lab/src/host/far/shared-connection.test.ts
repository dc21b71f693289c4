import { describe, expect, it } from "vitest";
import { SharedConnection } from "./shared-connection.js";

interface Connection {
  readonly number: number;
  lost: boolean;
  closed: boolean;
}

/** A place that answers when it is told to. */
function place() {
  const made: Connection[] = [];
  let absent = false;
  let failure: Error | undefined;
  const shared = new SharedConnection<Connection>({
    async open() {
      await Promise.resolve();
      if (failure) throw failure;
      if (absent) return undefined;
      const connection = { number: made.length + 1, lost: false, closed: false };
      made.push(connection);
      return connection;
    },
    isLost: ({ lost }) => lost,
    async close(connection) {
      connection.closed = true;
    },
  });
  return {
    ...{ made, shared },
    fail: (error: Error | undefined) => {
      failure = error;
    },
    leave: (gone: boolean) => {
      absent = gone;
    },
  };
}

describe("a shared connection", () => {
  it("is one, however many ask before it stands", async () => {
    const { made, shared } = place();
    const all = await Promise.all([shared.get(), shared.get(), shared.get().then(() => shared.get())]);
    expect(new Set(all).size).toBe(1);
    await shared[Symbol.asyncDispose]();
    expect(made).toMatchObject([{ closed: true }]);
  });

  it("is made anew when it was lost, once for all who ask, and the lost one is closed", async () => {
    const { made, shared } = place();
    await shared.get();
    if (made[0]) made[0].lost = true;
    const again = await Promise.all([shared.get(), shared.get()]);
    expect(again.map((connection) => connection?.number)).toEqual([2, 2]);
    expect(made).toMatchObject([{ closed: true }, { closed: false }]);
  });

  it("that could not be made is tried again by the next who asks; absence is no error", async () => {
    const { made, shared, fail, leave } = place();
    fail(new Error("refused"));
    const both = await Promise.allSettled([shared.get(), shared.get()]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fail(undefined);
    leave(true);
    expect(await shared.get()).toBeUndefined();
    leave(false);
    expect(await shared.get()).toMatchObject({ number: 1 });
    expect(made).toHaveLength(1);
  });

  it("is closed also when it comes to stand while it is given up", async () => {
    const { made, shared } = place();
    void shared.get();
    await shared[Symbol.asyncDispose]();
    expect(made).toMatchObject([{ closed: true }]);
  });
});
