/** What runs a virtual machine's instructions. `auto` is a wish; a verdict is kvm or tcg. */

export const ACCELERATORS = ["auto", "kvm", "tcg"] as const;
export type AcceleratorWish = (typeof ACCELERATORS)[number];

export interface AcceleratorVerdict {
  readonly accelerator: "kvm" | "tcg";
  /** One sentence: how this was found out. */
  readonly reason: string;
}
