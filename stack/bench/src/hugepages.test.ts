import { describe, expect, it } from "vitest";
import { pagesWanted, parseHugepages } from "./hugepages.js";

const MEMINFO = `MemTotal:       24000000 kB
AnonHugePages:         0 kB
HugePages_Total:     512
HugePages_Free:      100
HugePages_Rsvd:        0
Hugepagesize:       2048 kB
`;

describe("hugepages", () => {
  it("are read from /proc/meminfo", () => {
    expect(parseHugepages(MEMINFO)).toEqual({ total: 512, free: 100, pageMb: 2 });
    expect(parseHugepages("")).toEqual({ total: 0, free: 0, pageMb: 0 });
  });
  it("are asked for on top of those in use", () => {
    expect(pagesWanted(parseHugepages(MEMINFO), 400)).toBe(612);
    expect(pagesWanted(parseHugepages(MEMINFO), 200)).toBeUndefined();
  });
});
