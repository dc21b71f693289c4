/**
 * A run beside figures that others have published. Their machines were others, so only the shape counts: by how much one
 * point is more than another, which is most, from where on nothing is gained. What is absolute is shown, never judged.
 */
import type { Comparable, FactorName, Published } from "../../model/experiment/experiment.js";
import { FACTOR_NAMES } from "../../model/experiment/factors.js";
import { QUANTITIES } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { Cell } from "./cells.js";
import { type Claim, type Comparison, compareAll } from "./comparison.js";
import { alikeBut, compareLevels, describe, hasLevels } from "./match-cells.js";
import { type Verdict, verdictOf } from "./verdict.js";

type Point = Published["points"][number];

export interface PublishedPoint {
  readonly levels: Point["levels"];
  readonly published: number;
  /** Our median in the quantity's unit. */
  readonly ours?: number;
}

export interface PublishedComparison extends Verdict {
  readonly source: string;
  readonly where: string;
  readonly setup: string;
  readonly quantity: Published["quantity"];
  readonly unit: string;
  readonly points: readonly PublishedPoint[];
  /** Each point as a multiple of the first that we have, within the tolerance. */
  readonly comparisons: readonly Comparison[];
  /** Levels of the points, largest figure first, theirs and ours; absent where we have fewer than two. */
  readonly order?: { readonly published: readonly string[]; readonly ours: readonly string[]; readonly same: boolean };
  /** From where on nothing is gained within the tolerance, along the one factor that varies. */
  readonly saturation?: { readonly along: FactorName; readonly published: number; readonly ours: number };
}

export function comparePublished(run: Run, cells: readonly Cell[]): PublishedComparison[] {
  const { experiment, fitness } = run.manifest;
  return experiment.published.map((published) => {
    const { source, where, setup, quantity, unit } = published;
    const found = pointsOf(published, cells);
    const had = found.filter((one): one is Found & { ours: number } => one.ours !== undefined);
    const comparisons = compareAll(claimsOf(published, found), experiment.seed);
    return {
      ...{ source, where, setup, quantity, unit, comparisons },
      ...verdictOf(comparisons, needsOf(published), fitness),
      points: found.map(({ point, ours }) => ({
        ...{ levels: point.levels, published: point.value },
        ...(ours === undefined ? {} : { ours }),
      })),
      ...(had.length > 1 ? { order: orderOf(had, published.tolerance) } : {}),
      ...saturationOf(had, published.tolerance),
    };
  });
}

interface Found {
  readonly point: Point;
  readonly cell?: Cell;
  readonly ours?: number;
}

/** Where our run varies more than they did, the group of cells that has most of their points. */
function pointsOf({ points, quantity }: Published, cells: readonly Cell[]): Found[] {
  const measuring = cells.filter(({ telemetry }) => telemetry === QUANTITIES[quantity].telemetry);
  const groups = alikeBut(measuring, factorsThatVary(points)).map((group) =>
    points.map((point): Found => {
      const cell = group.find((one) => hasLevels(one, point.levels));
      const ours = cell?.quantities[quantity]?.median;
      return { point, ...(cell ? { cell } : {}), ...(ours === undefined ? {} : { ours }) };
    }),
  );
  const [most] = groups.toSorted((a, b) => measured(b) - measured(a) || planned(b) - planned(a));
  return most ?? points.map((point) => ({ point }));
}

const measured = (found: readonly Found[]) => found.filter(({ ours }) => ours !== undefined).length;
const planned = (found: readonly Found[]) => found.filter(({ cell }) => cell !== undefined).length;

function factorsThatVary(points: readonly Point[]): FactorName[] {
  return FACTOR_NAMES.filter((factor) => new Set(points.map(({ levels }) => levels[factor])).size > 1);
}

/** Points that are no part of this run are not asked for; those that are, but have no figures, are. */
function claimsOf({ quantity, tolerance }: Published, found: readonly Found[]): Claim[] {
  const planned = found.filter(({ cell }) => cell !== undefined);
  const first = planned.find(({ ours }) => ours !== undefined) ?? planned[0];
  if (!first) return [];
  return planned
    .filter((one) => one !== first)
    .map(({ point, cell }) => ({
      what: `${describe(point.levels)} / ${describe(first.point.levels)}`,
      quantity,
      of: cell,
      to: first.cell,
      least: point.value / first.point.value / (1 + tolerance),
      most: (point.value / first.point.value) * (1 + tolerance),
    }));
}

function needsOf({ points, quantity }: Published): Comparable[] {
  const cores = factorsThatVary(points).some((factor) => factor === "workers" || factor === "queues");
  return [
    "ratio",
    ...(cores ? ["scaling" as const] : []),
    ...(quantity.startsWith("latency") ? ["latency" as const] : []),
  ];
}

/** The same when no two points that differ by more than the tolerance, with both, stand the other way round. */
function orderOf(had: readonly (Found & { ours: number })[], tolerance: number) {
  const more = (a: number, b: number) => a > b * (1 + tolerance);
  const turned = had.some((a) => had.some((b) => more(a.point.value, b.point.value) && more(b.ours, a.ours)));
  const by = (figure: (one: Found & { ours: number }) => number) =>
    had.toSorted((a, b) => figure(b) - figure(a)).map(({ point }) => describe(point.levels));
  return { published: by(({ point }) => point.value), ours: by(({ ours }) => ours), same: !turned };
}

function saturationOf(
  had: readonly (Found & { ours: number })[],
  tolerance: number,
): Pick<PublishedComparison, "saturation"> {
  const [along, ...others] = factorsThatVary(had.map(({ point }) => point));
  if (along === undefined || others.length > 0) return {};
  const sorted = had.toSorted((a, b) => compareLevels(a.point.levels[along] ?? 0, b.point.levels[along] ?? 0));
  const points = sorted.map(({ point }) => Number(point.levels[along]));
  if (points.some(Number.isNaN)) return {};
  const from = (figures: readonly number[]) =>
    points[
      figures.findIndex((figure, i) => figures.slice(i + 1).every((later) => later < figure * (1 + tolerance)))
    ] as number;
  return {
    saturation: {
      along,
      published: from(sorted.map(({ point }) => point.value)),
      ours: from(sorted.map(({ ours }) => ours)),
    },
  };
}
