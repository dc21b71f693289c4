import { expect, test } from "vitest";
import { growth, perOperation, selfCosts, total } from "./callgrind.js";

const profile = `version: 1
positions: line
events: Ir
fl=(1) a.c
fn=(1) outer
10 5
+2 3
cfn=(2) inner
calls=4 20
12 400
fn=(2)
20 100
fi=(2) a.h
3 300
fn=(1)
* 2

totals: 410
`;

test("what a function calls is not its own cost, what was inlined into it is", () => {
  expect([...selfCosts(profile)]).toEqual([
    ["outer", 10],
    ["inner", 400],
  ]);
  expect(total(selfCosts(profile))).toBe(410);
});

test("costs of an operation are rounded, sorted, and without zeros", () => {
  const costs = new Map([
    ["small", 4],
    ["large", 101],
    ["middle", 29],
  ]);
  expect([...perOperation(costs, 10)]).toEqual([
    ["large", 10],
    ["middle", 3],
  ]);
});

test("growth names what grew, most first, new functions included", () => {
  const before = new Map([
    ["same", 5],
    ["less", 9],
    ["more", 5],
  ]);
  const after = new Map([
    ["same", 5],
    ["less", 1],
    ["more", 7],
    ["new", 30],
  ]);
  expect(growth(before, after, 10).map((item) => item.name)).toEqual(["new", "more"]);
  expect(growth(before, after, 1)).toEqual([{ name: "new", before: 0, after: 30 }]);
});
