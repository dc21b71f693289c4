import { createHash } from "node:crypto";
import type { EngineContext } from "../engine/context.js";

/** SHA-256 of a file that may be large, in hex. */
export async function fileSum(files: EngineContext["host"]["files"], path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of files.chunks(path)) hash.update(chunk);
  return hash.digest("hex");
}
