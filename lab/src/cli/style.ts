/** Colours, when the terminal has them and NO_COLOR does not forbid them. */
import { styleText } from "node:util";

export type Colour = "red" | "green" | "yellow" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

export function painter(enabled: boolean): Paint {
  return enabled ? (colour, text) => styleText(colour, text) : (_colour, text) => text;
}

/** NO_COLOR and FORCE_COLOR (https://no-color.org, https://force-color.org) decide; otherwise a terminal has colours. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return isTerminal && env.TERM !== "dumb";
}
