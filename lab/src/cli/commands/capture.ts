import { Capture, type CaptureSummary } from "../../engine/capture.js";
import { VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { seconds, wholeNumber } from "../names.js";

interface Options extends CommonOptions {
  readonly write?: string;
  readonly count?: number;
  readonly filter?: string;
  readonly duration?: number;
}

const STANDARD_OUTPUT = "-";

export const registerCapture: RegisterCommand = (program, io) => {
  const command = program
    .command("capture")
    .description("frames at a machine or on a link as pcapng, in the order of time, until Ctrl-C")
    .argument("<lab>", "name of the lab")
    .argument("<target>", "a machine (both directions), its interface such as vm1.1, or a link (each frame once)")
    .option("-w, --write <file>", "where to; - and without it: standard output")
    .option("-f, --filter <expression>", "only these frames, as tcpdump's filters say: tcp port 9999 (pcap-filter(7))")
    .option("-c, --count <number>", "end after so many frames", wholeNumber)
    .option("-d, --duration <seconds>", "end after this time", seconds)
    .option(...JSON_OPTION)
    .action(async (lab: string, target: string, options: Options) => {
      const file = options.write ?? STANDARD_OUTPUT;
      if (file === STANDARD_OUTPUT && io.outIsTerminal) {
        throw new VnflabError("VNF_USAGE", "a capture is no text for a terminal", {
          hint: `Write it to a file (-w FILE), or pass it on: vnflab capture ${lab} ${target} | wireshark -k -i -`,
        });
      }
      await withEngine(io, options, async (engine) => {
        const capture = await Capture.begin(engine, lab, target, {
          signal: io.interrupted,
          ...(options.filter === undefined ? {} : { filter: options.filter }),
          ...(options.count === undefined ? {} : { maxPackets: options.count }),
          ...(options.duration === undefined ? {} : { durationMs: options.duration * 1000 }),
        });
        if (file === STANDARD_OUTPUT) await pass(capture, io);
        else await engine.host.files.write(file, capture.content());
        const summary = capture.summary();
        // Standard output may be the capture itself.
        const data = { schemaVersion: 1, lab, target, ...summary };
        io.err(options.json ? `${JSON.stringify({ type: "capture", ...data })}\n` : describe(summary));
      });
    });
  examples(command, [
    "vnflab capture two-vms vm1 | wireshark -k -i -",
    "vnflab capture two-vms lan -w lan.pcapng --duration 10",
    "vnflab capture two-vms vm1 --filter 'tcp port 9999' --count 100 | tshark -r -",
  ]);
};

/** Until nobody takes it any more, which is how `| head` and a closed Wireshark end a capture. */
async function pass(capture: Capture, io: Io): Promise<void> {
  for await (const bytes of capture.content()) {
    if (!(await io.outBytes(bytes))) break;
  }
}

function describe({ ports, packets, dropped }: CaptureSummary): string {
  const lost = dropped === 0 ? "" : `, ${dropped} more were lost: the reader was too slow`;
  return `${packets} frames at ${ports.join(", ")}${lost}\n`;
}
