/** A setup as it ran: domains as libvirt runs them, QEMU's command lines, configuration files, images. */
import type { EngineContext } from "../../engine/context.js";
import type { Lab, LabMachine } from "../../engine/lab.js";
import type { SetupRecord } from "../../model/experiment/run-folder.js";
import type { Setup } from "../../model/experiment/trial.js";
import { fileSum } from "../file-sum.js";

type Files = EngineContext["host"]["files"];

export async function recordSetup(lab: Lab, setup: Setup): Promise<SetupRecord> {
  return { setup, machines: await Promise.all(lab.machines.map((machine) => recordMachine(lab, machine))) };
}

async function recordMachine(lab: Lab, machine: LabMachine): Promise<SetupRecord["machines"][number]> {
  const { files } = lab.context.hostOf(machine.spec);
  const domainXml = await machine.liveXml();
  const { pid, pids = [] } = await machine.observe();
  const commandLine = domainXml && (await readCommandLine(files, pid ?? pids[0]));
  const images = [];
  for (const path of await machine.images()) images.push({ path, sha256: await fileSum(files, path) });
  return {
    name: machine.name,
    stackConf: Buffer.from(await machine.getFile(machine.stackConf)).toString(),
    ...(domainXml ? { domainXml } : {}),
    ...(commandLine ? { commandLine } : {}),
    ...(images.length > 0 ? { images } : {}),
  };
}

/** As a shell would take it. */
async function readCommandLine(files: Files, pid: number | undefined): Promise<string | undefined> {
  const words = pid === undefined ? undefined : (await files.readText(`/proc/${pid}/cmdline`))?.split("\0");
  return words?.slice(0, -1).map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
