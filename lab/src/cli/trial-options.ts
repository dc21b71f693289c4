/** Options of the commands that measure trials. */
import type { Command } from "commander";
import type { RunTrialsOptions } from "../experiments/run/run-trials.js";
import type { Io } from "./io.js";
import { wholeNumber } from "./names.js";

export interface TrialFlags {
  readonly capture?: boolean;
  readonly deadline: number;
}

export function addTrialOptions(command: Command): Command {
  return command
    .option("--capture", "keep the first 1,000 frames of each trial, as the client's ports see them")
    .option("--deadline <seconds>", "for each step of a trial", wholeNumber, 120);
}

export function trialOptionsOf(io: Io, { capture, deadline }: TrialFlags): Omit<RunTrialsOptions, "retryFailed"> {
  return { capture: capture ?? false, deadlineMs: deadline * 1000, signal: io.interrupted };
}
