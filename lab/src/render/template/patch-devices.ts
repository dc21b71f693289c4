/** The lab's network cards, console and agent channel in a user's domain. */
import type { Element } from "@xmldom/xmldom";
import { append, children, ensure, find, insertAfter, remove, setAttributes, show } from "./dom.js";
import type { DomainEditor } from "./editor.js";

/** How often a guest whose switch went away tries to find it again. */
const RECONNECT_S = "1";
const RING = "1024";
const AGENT = "org.qemu.guest_agent.0";

interface Nic {
  readonly mac: string;
  readonly socket: string;
  readonly queues: number;
}

/** The template's vhost-user cards become the lab's, one by one; the lab adds what is missing and drops the rest. */
export function patchCards(editor: DomainEditor, nics: readonly Nic[]): void {
  const devices = ensure(editor.root, "devices");
  const cards = children(devices, "interface").filter((card) => card.getAttribute("type") !== "user");
  const kept = cards.filter((card) => card.getAttribute("type") === "vhostuser").slice(0, nics.length);
  for (const card of cards.filter((card) => !kept.includes(card))) {
    editor.drop(card, "the machine has the cards that the lab file gives it, over vhost-user");
  }
  nics.forEach((nic, index) => {
    const known = kept[index];
    const before = known && show(known);
    const card =
      known ?? insertAfter(devices, "interface", children(devices, "interface").at(-1), { type: "vhostuser" });
    setCard(card, nic);
    const what = `${before ?? "<interface> added"}: MAC ${nic.mac}, ${nic.queues} queues, ${nic.socket}`;
    editor.note(known, what, "a port of the lab's switch");
  });
}

function setCard(card: Element, { mac, socket, queues }: Nic): void {
  setAttributes(ensure(card, "mac"), { address: mac });
  const source = ensure(card, "source");
  setAttributes(source, { type: "unix", path: socket, mode: "client" });
  setAttributes(ensure(source, "reconnect"), { enabled: "yes", timeout: RECONNECT_S });
  setAttributes(ensure(card, "model"), { type: "virtio" });
  const driver = ensure(card, "driver");
  setAttributes(driver, { name: undefined, queues });
  for (const ring of ["rx_queue_size", "tx_queue_size"]) {
    if (driver.getAttribute(ring) === null) setAttributes(driver, { [ring]: RING });
  }
}

interface Lines {
  readonly consoleLog: string;
  readonly consoleSocket: string;
  readonly agentSocket: string;
}

export function patchCharacterDevices(editor: DomainEditor, lines: Lines): void {
  const devices = ensure(editor.root, "devices");
  for (const old of [...children(devices, "serial"), ...children(devices, "console")]) {
    editor.drop(old, "the lab's serial line goes to its log and its console");
  }
  const serial = append(devices, "serial", { type: "unix" });
  append(serial, "source", { mode: "bind", path: lines.consoleSocket });
  append(serial, "log", { file: lines.consoleLog, append: "off" });
  append(serial, "target", { type: "isa-serial", port: "0" });
  const channel = children(devices, "channel").find((each) => find(each, "target")?.getAttribute("name") === AGENT);
  setAgent(channel ?? append(devices, "channel"), lines.agentSocket);
  if (!find(devices, "panic")) append(devices, "panic", { model: "isa" });
}

function setAgent(channel: Element, path: string): void {
  setAttributes(channel, { type: "unix" });
  for (const old of children(channel, "source")) remove(old);
  append(channel, "source", { mode: "bind", path });
  setAttributes(ensure(channel, "target"), { type: "virtio", name: AGENT });
}
