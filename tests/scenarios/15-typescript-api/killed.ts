/** Brings a lab up and waits to be killed. */
import { Lab } from "vnflab";

await using lab = await Lab.up("lab/examples/two-processes/lab.yaml");
process.stdout.write(`${lab.name} is up\n`);
await new Promise((resolve) => setTimeout(resolve, 600_000));
