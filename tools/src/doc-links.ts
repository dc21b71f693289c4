/** Links of Markdown files that lead nowhere: relative files and headings. Links to the network are not followed. */
import { dirname, posix } from "node:path";

/** The anchor that the usual Markdown renderers give a heading. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
}

function anchors(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+\s+(.*)$/gm);
  return new Set([...headings].map(([, heading]) => anchorOf(heading ?? "")));
}

/** `docs` maps the path of every Markdown file to its text; `exists` tells of any other path. */
export function brokenLinks(docs: ReadonlyMap<string, string>, exists: (path: string) => boolean): string[] {
  const broken: string[] = [];
  for (const [path, text] of docs) {
    for (const [, link] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link === undefined || /^[a-z]+:/i.test(link)) continue;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : posix.normalize(posix.join(dirname(path), decodeURI(file)));
      const targetText = docs.get(target);
      if (targetText === undefined ? !exists(target) : anchor !== undefined && !anchors(targetText).has(anchor))
        broken.push(`${path}: ${link} leads nowhere`);
    }
  }
  return broken;
}
