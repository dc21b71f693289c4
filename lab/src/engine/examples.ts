/** The labs of lab/examples, and a lab file of one's own made from one of them. */
import { join, resolve } from "node:path";
import { VnflabError } from "../model/error.js";
import { parseLab } from "../model/parse-lab.js";
import { didYouMean } from "../model/suggest.js";
import type { EngineContext } from "./context.js";

export interface Example {
  readonly name: string;
  /** Its first comment. */
  readonly about: string;
}

type Surroundings = Pick<EngineContext, "host">;

export async function listExamples({ host }: Surroundings): Promise<Example[]> {
  const folder = join(host.root, "lab/examples");
  const found = await Promise.all(
    (await host.files.list(folder)).map(async (name) => ({
      name,
      text: await host.files.readText(join(folder, name, "lab.yaml")),
    })),
  );
  return found.flatMap(({ name, text }) => (text === undefined ? [] : [{ name, about: aboutOf(text) }]));
}

/** The lines of comment above the first key, without the one for editors. */
function aboutOf(text: string): string {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .filter((line) => !line.includes("yaml-language-server"))
    .map((line) => line.replace(/^#\s*/, ""))
    .join(" ");
}

/** Writes NAME.yaml into the folder. Throws VNF_FILE_EXISTS, VNF_USAGE for an example or a name that is none. */
export async function initLab(
  context: Surroundings,
  folder: string,
  { name, example }: { readonly name?: string; readonly example: string },
): Promise<{ readonly lab: string; readonly file: string; readonly example: string }> {
  const { host } = context;
  const text = await host.files.readText(join(host.root, "lab/examples", example, "lab.yaml"));
  if (text === undefined) {
    const names = (await listExamples(context)).map((one) => one.name);
    throw new VnflabError("VNF_USAGE", `no example "${example}"${didYouMean(example, names)}`, {
      hint: `There are ${names.join(", ")}.`,
    });
  }
  const own = rename(text, host.root, name);
  const file = resolve(folder, `${name ?? example}.yaml`);
  const lab = parseLab(own, file).name;
  if (!(await host.files.createExclusive(file, own))) {
    throw new VnflabError("VNF_FILE_EXISTS", `there is a file ${file} already`);
  }
  return { lab, file, example };
}

/** The schema stands elsewhere as seen from there. */
function rename(text: string, root: string, name: string | undefined): string {
  const schema = `$schema=${join(root, "lab/schema/lab.schema.json")}`;
  const located = text.replace(/\$schema=\S+/, () => schema);
  return name === undefined ? located : located.replace(/^name: .*$/m, () => `name: ${name}`);
}
