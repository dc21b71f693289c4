// SPDX-License-Identifier: BSD-3-Clause

/** Steps that undo what was done, run last first. (The platform's AsyncDisposableStack comes with a later Node.) */
export class Cleanup implements AsyncDisposable {
  readonly #steps: (() => void | Promise<void>)[] = [];

  defer(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "the clean-up failed");
  }
}
