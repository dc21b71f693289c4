// SPDX-License-Identifier: BSD-3-Clause

/** Asks until it is so; after the deadline the error says what it was last. */
export async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean, deadlineMs = 60_000): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new RangeError(`not within ${deadlineMs} ms: last seen ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
