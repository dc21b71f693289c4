/** The option --set of all commands that read a lab file. */
import type { Command } from "commander";
import { parseSetting, type Setting } from "../model/setting.js";

export interface SetOptions {
  readonly set?: readonly Setting[];
}

export function addSetOption(command: Command): Command {
  return command.option(
    "--set <key=value>",
    "a key of the lab file, such as machines.vm1.cpus=2; repeatable; also VNFLAB_SET_MACHINES__VM1__CPUS=2",
    (text: string, before: readonly Setting[] = []) => [...before, parseSetting(text)],
  );
}
