import { expect, it } from "vitest";
import { keepImpairments } from "./keep-impairments.js";

const loss = (share: number) => ({ delayUs: 0, jitterUs: 0, loss: share, duplicate: 0, reorder: 0, seed: 1 });
const link = (name: string, share?: number) => (share === undefined ? { name } : { name, impair: loss(share) });

it.each([
  ["a change stays", link("lan", 0.1), link("lan", 0.1), link("lan", 0.2), link("lan", 0.2)],
  ["a change of a link that did nothing", link("lan"), link("lan"), link("lan", 0.2), link("lan", 0.2)],
  ["a link that has been cleared", link("lan", 0.1), link("lan", 0.1), link("lan"), link("lan")],
  ["the file changes", link("lan", 0.3), link("lan", 0.1), link("lan", 0.2), link("lan", 0.3)],
  ["the file asks for nothing any more", link("lan"), link("lan", 0.1), link("lan", 0.2), link("lan")],
  ["a new link", link("lan", 0.3), link("wan", 0.1), link("wan", 0.2), link("lan", 0.3)],
])("%s", (_what, now, asked, actual, expected) => {
  expect(keepImpairments([now], { asked: [asked], actual: [actual] })).toStrictEqual([expected]);
  const more = { spread: "hash" };
  expect(keepImpairments([{ ...now, ...more }], { asked: [asked], actual: [actual] })).toStrictEqual([
    { ...expected, ...more },
  ]);
});
