/** A connection that is made when it is first asked for, and anew when it was lost. */

export interface Connecting<T> {
  /** Undefined where there is nothing to connect to. */
  open(): Promise<T | undefined>;
  isLost(connection: T): boolean;
  close(connection: T): PromiseLike<void>;
}

/**
 * All who ask at the same time get the same one: a second one would be held by nobody, never be closed, and keep this
 * process from ending.
 */
export class SharedConnection<T> implements AsyncDisposable {
  private current: T | undefined;
  private asking: Promise<T | undefined> | undefined;

  constructor(private readonly how: Connecting<T>) {}

  get(): Promise<T | undefined> {
    this.asking ??= this.find().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.asking?.catch(() => {});
    await this.leave();
  }

  private async find(): Promise<T | undefined> {
    if (this.current !== undefined && !this.how.isLost(this.current)) return this.current;
    await this.leave();
    this.current = await this.how.open();
    return this.current;
  }

  private async leave(): Promise<void> {
    const left = this.current;
    this.current = undefined;
    if (left !== undefined) await this.how.close(left);
  }
}
