/**
 * Runs a command when this process ends, however it ends: by SIGKILL, too. A shell, which costs next to nothing, waits
 * at a pipe whose other end is open in this process alone, and which the kernel closes with it.
 */
import { $ } from "zx";

const WAIT = 'read -r _; exec "$@"';

/** Disposing dismisses the guardian: the command is not run. */
export type Guardian = AsyncDisposable;

export async function startGuardian(argv: readonly string[]): Promise<Guardian> {
  const running = $({
    quiet: true,
    nothrow: true,
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  })`exec sh -c ${WAIT} sh ${argv}`;
  const { pid, child } = running;
  child?.unref();
  // A pipe is a handle, too; this process must not stay for it.
  if (child?.stdin && "unref" in child.stdin) (child.stdin as unknown as { unref(): void }).unref();
  return {
    async [Symbol.asyncDispose]() {
      // Whoever waits for its end must be there to see it: a program with nothing else to do would end before.
      child?.ref();
      // Itself before its pipe, or it would take the end of the pipe for the end of this process.
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
      await running;
    },
  };
}
