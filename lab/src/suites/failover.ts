/** What breaks while the lab runs: the switch ends and comes back, a guest is reset. Runs only when it is asked for. */
import { reset, restartSwitch, strandedBySwitch } from "../engine/control.js";
import { checkLink } from "../engine/readiness.js";
import { type CaseContext, Expectations, exchange, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9993";
const COUNT = 500;
const PPS = 500;
const IDLE_S = 5;

export const failoverSuite: readonly TestCase[] = [
  {
    id: "failover.switch",
    title: "the switch ends and is started again; traffic flows with no action in the machines",
    once: true,
    async blockedBy({ lab }) {
      const stranded = strandedBySwitch(lab);
      return stranded.length === 0 ? undefined : `the NIC of ${stranded.join(", ")} would not connect again`;
    },
    run: switchRestart,
  },
  {
    id: "failover.reset",
    title: "a guest is reset; it comes back and is heard again",
    notFor: ({ to }) => (to.spec.kind === "process" ? `${to.name} is no virtual machine` : undefined),
    run: guestReset,
  },
];

async function switchRestart(context: CaseContext): Promise<Outcome> {
  const { lab, from, to, wait } = context;
  const { clock } = lab.context.host;
  const before = await lab.switchState();
  const started = clock.now();
  await restartSwitch(lab.context, lab.record.lab, wait.signal);
  for (const { name } of [from, to]) await checkLink(lab, name, wait.signal);
  const seconds = (clock.now() - started) / 1000;
  const after = await lab.switchState();
  const outcome = await echo(context);
  const same = before.pid !== undefined && before.pid === after.pid;
  return {
    problems: [...(same ? ["the switch is the same process as before"] : []), ...outcome.problems],
    figures: { ...outcome.figures, seconds_to_links: seconds },
  };
}

async function guestReset(context: CaseContext): Promise<Outcome> {
  const { lab, to, wait } = context;
  const { clock } = lab.context.host;
  const bootId = async () => (await to.run(["cat", "/proc/sys/kernel/random/boot_id"])).stdout.trim();
  const before = await bootId();
  const started = clock.now();
  await reset(lab.context, lab.record.lab, [to.name], wait.signal);
  const seconds = (clock.now() - started) / 1000;
  const same = before === (await bootId());
  const outcome = await echo(context);
  return {
    problems: [...(same ? [`${to.name} has not booted again`] : []), ...outcome.problems],
    figures: { ...outcome.figures, seconds_to_ready: seconds },
  };
}

async function echo({ from, to, wait }: CaseContext): Promise<Outcome> {
  const count = ["-n", String(COUNT)];
  const { server, client } = await exchange(
    wait,
    {
      machine: to,
      application: "udp_sink",
      options: ["-l", PORT, ...count, "-t", String(IDLE_S), "--echo"],
      endsItself: true,
    },
    {
      machine: from,
      application: "udp_source",
      options: ["-a", to.address, "-p", PORT, ...count, "-r", String(PPS), "--echo"],
    },
  );
  const expect = new Expectations();
  expect.ended("udp_source", client);
  expect.atLeast("datagrams that came back", figure(client, "echoed"), Math.floor(COUNT * 0.9));
  expect.equal("corrupt datagrams", figure(server, "corrupt"), 0);
  return {
    problems: expect.problems,
    figures: figures({ datagrams_sent: COUNT, datagrams_received: figure(client, "echoed") }),
  };
}
