/** What callgrind wrote, as instructions per function, and how two such counts differ. */

export type Costs = Map<string, number>;

/** Expands callgrind's short names: `(12) name` introduces a name, `(12)` stands for it later. */
function expand(value: string, names: Map<string, string>): string {
  const match = /^\((\d+)\)(?: (.+))?$/.exec(value);
  if (match === null) return value;
  const [, id = "", name] = match;
  if (name !== undefined) names.set(id, name);
  return names.get(id) ?? value;
}

/** Instructions that each function spent itself, without those it called. */
export function selfCosts(profile: string): Costs {
  const costs: Costs = new Map();
  const names = new Map<string, string>();
  let current = "";
  let ofCall = false;
  for (const line of profile.split("\n")) {
    const name = /^(c?fn)=(.*)$/.exec(line);
    const cost = /^(?:[+-]?\d+|\*)(?: (?:[+-]?\d+|\*))* (\d+)$/.exec(line);
    if (name !== null) {
      const full = expand(name[2] ?? "", names);
      if (name[1] === "fn") current = full;
    } else if (line.startsWith("calls=")) {
      ofCall = true; // the next line is what the callee spent
    } else if (cost !== null) {
      if (!ofCall) costs.set(current, (costs.get(current) ?? 0) + Number(cost[1]));
      ofCall = false;
    }
  }
  return costs;
}

export function total(costs: Costs): number {
  return [...costs.values()].reduce((sum, cost) => sum + cost, 0);
}

/** Costs of one operation, rounded; what costs nothing is left out. Largest first. */
export function perOperation(costs: Costs, operations: number): Costs {
  return new Map(
    [...costs]
      .map(([name, cost]): [string, number] => [name, Math.round(cost / operations)])
      .filter(([, cost]) => cost > 0)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)),
  );
}

export interface Growth {
  name: string;
  before: number;
  after: number;
}

/** The functions that grew most. */
export function growth(before: Costs, after: Costs, most: number): Growth[] {
  return [...after]
    .map(([name, cost]) => ({ name, before: before.get(name) ?? 0, after: cost }))
    .filter((item) => item.after > item.before)
    .sort((a, b) => b.after - b.before - (a.after - a.before))
    .slice(0, most);
}
