// SPDX-License-Identifier: BSD-3-Clause
import { invalid } from "../errors.js";

/** Printable ASCII without spaces; long enough for anybody, short enough for a log line. */
const NAME = /^[!-~]{1,128}$/;

/** A name that the caller gave, or the first free one of the template: `noop0`, `noop1` ... */
export function chooseName(asked: string, template: string, taken: { has(name: string): boolean }): string {
  if (asked !== "") {
    if (!NAME.test(asked)) throw invalid("Invalid name: 1 to 128 printable characters without spaces are allowed");
    return asked;
  }
  for (let n = 0; ; n++) {
    if (!taken.has(template + n)) return template + n;
  }
}
