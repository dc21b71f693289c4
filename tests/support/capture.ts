/** What tshark says about a capture. */
import { $ } from "zx";

export interface Frame {
  readonly time: bigint;
  /** Name of the switch's port. */
  readonly port: string;
  /** 1: from the machine, 2: to it. */
  readonly direction: number;
  readonly source: string;
}

/** Throws, with tshark's words, when it finds anything wrong with the file. */
export async function framesOf(file: string): Promise<Frame[]> {
  const names = ["frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "eth.src"];
  const fields = names.flatMap((name) => ["-e", name]);
  const { exitCode, stdout, stderr } = await $({ nothrow: true, quiet: true })`tshark -r ${file} -T fields ${fields}`;
  const complaints = stderr.replace(/^Running as user "root".*\n/, "");
  if (exitCode !== 0 || complaints !== "") throw new Error(`tshark -r ${file}: ${exitCode} ${complaints}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [time = "", port = "", direction = "", source = ""] = line.split("\t");
      return { time: BigInt(time.replace(".", "")), port, direction: Number(direction), source };
    });
}
