/** One result of `vnflab doctor`. */
export interface Finding {
  /** Short and stable, such as `kvm` or `qemu`. */
  readonly check: string;
  /** A failure keeps labs from running; a warning takes something away (speed, a kind of machine). */
  readonly status: "ok" | "warning" | "failure";
  /** What was found, with versions and paths. */
  readonly message: string;
  /** The command that mends it; absent when ok. */
  readonly hint?: string;
  /** The same for `--fix`; absent when a person should do it: it reboots, logs out, or takes from somebody else. */
  readonly fix?: Fix;
}

export interface Fix {
  /** Argument vectors, in order; the next only when the one before went well. */
  readonly commands: readonly (readonly string[])[];
  readonly needsRoot: boolean;
}
