/** Lists of names on the command line. */
import { InvalidArgumentError } from "commander";

/** `a,b` -> a, b. */
export function chosenMachines(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

/** `a b,c` as the last arguments of a command -> a, b, c; none at all: undefined, which means all. */
export function machinesOrAll(words: readonly string[]): string[] | undefined {
  return words.length === 0 ? undefined : words.flatMap(chosenMachines);
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return Number(text);
}

/** `0.5`, `2`: seconds, more than nothing. */
export function seconds(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError("It must be a number of seconds, such as 0.5 or 2.");
  }
  return Number(text);
}
