/** ARP: what happens when nobody has the address. */
import { type CaseContext, Expectations, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9995";
/** The stack asks again and again for about 15 s, and an emulated machine takes its time. */
const UNREACHABLE_MS = 45_000;

export const neighbourSuite: readonly TestCase[] = [
  {
    id: "arp.unknown",
    title: "an address that nobody has is unreachable in time, not waited for",
    once: true,
    run: unknown,
  },
];

async function unknown({ lab, from, wait }: CaseContext): Promise<Outcome> {
  const { clock } = lab.context.host;
  const nobody = unusedAddress(
    from.allocated.nics[0]?.address ?? "",
    lab.machines.flatMap(({ allocated }) => allocated.nics.map(({ address }) => address)),
  );
  const started = clock.now();
  await using source = await from.start("tcp_source", ["-a", nobody, "-p", PORT, "-b", "1"]);
  const result = await source.result({ ...wait, deadlineMs: Math.min(wait.deadlineMs, UNREACHABLE_MS) });
  const expect = new Expectations();
  expect.ended("tcp_source", result, 1);
  const said = result.said.join("\n");
  if (!/no route to host|unreachable/i.test(said)) {
    expect.problems.push(`it said "${result.said.at(-1) ?? ""}", expected that there is no route to the host`);
  }
  return {
    problems: expect.problems,
    figures: figures({ seconds_to_refusal: (clock.now() - started) / 1000, nobody }),
  };
}

/** The highest one of the subnet that no NIC has. */
function unusedAddress(own: string, used: readonly string[]): string {
  const [address = "0.0.0.0", length = "24"] = own.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(number / size) * size;
  const taken = new Set(used.map((one) => one.split("/")[0]));
  for (let candidate = first + size - 2; candidate > first; candidate--) {
    const text = [24, 16, 8, 0].map((shift) => Math.floor(candidate / 2 ** shift) % 256).join(".");
    if (!taken.has(text)) return text;
  }
  return address;
}
