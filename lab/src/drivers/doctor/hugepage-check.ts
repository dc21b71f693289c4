/** Hugepages, per memory node and size, and where they are mounted. */
import { readHostFacts } from "../../host/facts.js";
import type { Host } from "../../host/host.js";
import { byRoot, type DoctorCheck, grep, readLine } from "./doctor-check.js";
import { memoryNodes } from "./processor-checks.js";

const PAGES = 512;
const MOUNT = "/dev/hugepages";
/** `--fix` takes a gigabyte away only from those who have several. */
const SPARE_MIB = 4096;

interface Pool {
  readonly node: string;
  readonly sizeKb: number;
  readonly free: number;
  readonly total: number;
}

export const hugepages: DoctorCheck = {
  name: "hugepages",
  async look(host) {
    const pools = await readPools(host);
    const free = pools.reduce((sum, pool) => sum + pool.free, 0);
    const mount = await grep(host, "/proc/mounts", /^\S+ (\S+) hugetlbfs /m);
    const writable = mount !== undefined && (await host.exec.run(["test", "-w", mount])).exitCode === 0;
    const words = pools.filter(({ total }) => total > 0).map(describe);
    if (free > 0 && writable) return { status: "ok", message: `${words.join("; ")}; mounted on ${mount}` };
    if (free > 0 && mount !== undefined) {
      const message = `${words.join("; ")}; but ${mount} is not yours to write`;
      return { status: "warning", message, ...byRoot(["chmod", "1777", mount]) };
    }
    const what = free === 0 ? "none free: labs work, figures are lower" : `${words.join("; ")}, but no hugetlbfs mount`;
    const set = free === 0 ? [setAside(await memoryNodes(host))] : [];
    const place = [
      ["mkdir", "-p", MOUNT],
      ["mount", "-t", "hugetlbfs", "-o", "mode=1777", "none", MOUNT],
    ];
    const { hint, fix } = byRoot(...set, ...(mount === undefined ? place : []));
    const { availableMemoryMib } = await readHostFacts(host);
    const safe = set.length === 0 || availableMemoryMib >= SPARE_MIB;
    return { status: "warning", message: what, hint, ...(safe ? { fix } : {}) };
  },
};

/** On several nodes each gets its share: a page of the far node costs what it saves. */
function setAside(nodes: readonly string[]): string[] {
  if (nodes.length <= 1) return ["sysctl", "-w", `vm.nr_hugepages=${PAGES}`];
  const file = "/sys/devices/system/node/node*/hugepages/hugepages-2048kB/nr_hugepages";
  return ["sh", "-c", `for n in ${file}; do echo ${PAGES} > $n; done`];
}

function describe({ node, sizeKb, free, total }: Pool): string {
  const size = sizeKb >= 1 << 20 ? `${sizeKb >> 20} GB` : `${sizeKb >> 10} MB`;
  return `${node}: ${free} of ${total} of ${size} free`;
}

async function readPools(host: Host): Promise<Pool[]> {
  const pools = (await memoryNodes(host)).map((node) => readNode(host, node, `/sys/devices/system/node/${node}`));
  return (await Promise.all(pools)).flat();
}

async function readNode(host: Host, node: string, folder: string): Promise<Pool[]> {
  const sizes = await host.files.list(`${folder}/hugepages`);
  const number = async (size: string, name: string) =>
    Number((await readLine(host, `${folder}/hugepages/${size}/${name}`)) ?? 0);
  return Promise.all(
    sizes.map(async (size) => ({
      node,
      sizeKb: Number(/(\d+)kB/.exec(size)?.[1] ?? 0),
      free: await number(size, "free_hugepages"),
      total: await number(size, "nr_hugepages"),
    })),
  );
}
