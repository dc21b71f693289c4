import { buildImage, IMAGE_KINDS, type ImageKind, listImages, pruneImages } from "../../engine/images.js";
import { VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";

interface BuildFlags extends CommonOptions {
  readonly force?: boolean;
  readonly registry?: boolean;
}

export const registerImage: RegisterCommand = (program, io) => {
  const image = program
    .command("image")
    .description("build, list and prune images: of guests, and of the container that labs run in");
  image
    .command("build")
    .description("build an image, or all; nothing is fetched when its recipe has been built before")
    .argument("[kind]", `${IMAGE_KINDS.join(" or ")}; absent: both`)
    .option("--force", "build anew although the recipe did not change (newer packages)")
    .option("--registry", "the container image by the Docker engine and images/host/Dockerfile")
    .option(...JSON_OPTION)
    .action(async (kind: string | undefined, options: BuildFlags) => {
      const kinds = kindsOf(kind);
      const { force = false, registry = false } = options;
      await withEngine(io, options, async (engine) => {
        for (const one of kinds) await buildImage(engine, one, { force, registry, signal: io.interrupted });
      });
      show(io, options, { schemaVersion: 1, built: kinds }, kinds.map((one) => `${one} is built\n`).join(""));
    });
  image
    .command("ls")
    .description("list the images that are built, and those in the Docker engine")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      const images = await withEngine(io, options, listImages);
      const lines = images.map(
        ({ kind, name, current }) => `${kind.padEnd(6)} ${current ? "current" : "old    "} ${name}\n`,
      );
      show(io, options, { schemaVersion: 1, images }, lines.join("") || "no image is built\n");
    });
  image
    .command("prune")
    .description("remove the images that labs no longer take")
    .argument("[kind]", `${IMAGE_KINDS.join(" or ")}; absent: both`)
    .option(...JSON_OPTION)
    .action(async (kind: string | undefined, options: CommonOptions) => {
      const removed = await withEngine(io, options, (engine) => pruneImages(engine, kindsOf(kind)));
      show(io, options, { schemaVersion: 1, removed }, removed.map((name) => `removed ${name}\n`).join(""));
    });
};

function kindsOf(kind: string | undefined): readonly ImageKind[] {
  if (kind === undefined) return IMAGE_KINDS;
  const known = IMAGE_KINDS.find((one) => one === kind);
  if (known === undefined)
    throw new VnflabError("VNF_USAGE", `no image "${kind}"; there are ${IMAGE_KINDS.join(" and ")}`);
  return [known];
}
