/** Terminal sequences and other control characters: a log must not steer the terminal that it is shown on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]/g;

export function readable(text: string): string {
  return text.replace(CONTROL, "");
}
