import { expect, it } from "vitest";
import { anchorOf, brokenLinks } from "./doc-links.js";

const docs = new Map([
  ["README.md", "# Top\n[a](docs/a.md) [b](docs/a.md#second-part) [net](https://example.org/x) [dir](docs)\n"],
  ["docs/a.md", "# First\n## Second part\n[up](../README.md#top) [own](#first)\n```\n[no](nowhere.md)\n```\n"],
]);

it("accepts links to files, folders and headings", () => {
  expect(brokenLinks(docs, (path) => path === "docs")).toEqual([]);
});

it("finds links to missing files and headings", () => {
  const bad = new Map([...docs, ["b.md", "[x](docs/none.md) [y](docs/a.md#third)\n"]]);
  expect(brokenLinks(bad, (path) => path === "docs")).toEqual([
    "b.md: docs/none.md leads nowhere",
    "b.md: docs/a.md#third leads nowhere",
  ]);
});

it("makes anchors as renderers do", () => {
  expect(anchorOf("Life of a packet (receiving, in a VM)")).toBe("life-of-a-packet-receiving-in-a-vm");
});
