/** The helper: this host, served over standard input and output to the vnflab that started it. */
import { Duplex } from "node:stream";
import { realHost } from "../real-host.js";
import { FarServer } from "./server.js";

const peer = Duplex.from({ readable: process.stdin, writable: process.stdout });
peer.on("error", () => {});
await new FarServer(realHost(), peer).serve();
process.exit(0);
