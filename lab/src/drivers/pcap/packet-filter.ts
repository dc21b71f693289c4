/** Filters in the language of pcap-filter(7), compiled and run by libpcap, which tcpdump and Wireshark filter with. */
import koffi from "koffi";
import { VnflabError } from "../../model/error.js";

/** Debian's name of it, and that of others. */
const LIBRARIES = ["libpcap.so.0.8", "libpcap.so.1"];
const DLT_EN10MB = 1;
const SNAP_BYTES = 262_144;
const OPTIMISE = 1;
const NETMASK_UNKNOWN = 0xffff_ffff;
/** struct bpf_program: a number and a pointer. */
const PROGRAM_BYTES = 16;
/** struct pcap_pkthdr: a timeval, captured and real length. */
const HEADER_BYTES = 24;
const HEADER_CAPTURED = 16;
const HEADER_LENGTH = 20;

export interface PacketFilter extends Disposable {
  /** `length` is the frame's on the wire, of which `frame` may be the beginning. */
  accepts(frame: Uint8Array, length: number): boolean;
}

/** Throws VNF_USAGE with libpcap's own words for what is no filter, VNF_CAPTURE where there is no libpcap. */
export function compileFilter(expression: string, libraries: readonly string[] = LIBRARIES): PacketFilter {
  const pcap = load(libraries);
  const handle = pcap.openDead(DLT_EN10MB, SNAP_BYTES);
  const program = Buffer.alloc(PROGRAM_BYTES);
  if (pcap.compile(handle, program, expression, OPTIMISE, NETMASK_UNKNOWN) !== 0) {
    const why = pcap.lastError(handle);
    pcap.close(handle);
    throw new VnflabError("VNF_USAGE", `"${expression}" is no packet filter: ${why}`, {
      hint: "See `man pcap-filter`; for example: tcp port 9999 and host 169.254.9.8",
    });
  }
  const header = Buffer.alloc(HEADER_BYTES);
  return {
    accepts(frame, length) {
      header.writeUInt32LE(frame.length, HEADER_CAPTURED);
      header.writeUInt32LE(length, HEADER_LENGTH);
      return pcap.run(program, header, frame) !== 0;
    },
    [Symbol.dispose]() {
      pcap.freeCode(program);
      pcap.close(handle);
    },
  };
}

function load(libraries: readonly string[]) {
  const library = firstThatLoads(libraries);
  return {
    openDead: library.func("void *pcap_open_dead(int linktype, int snaplen)"),
    compile: library.func("int pcap_compile(void *p, void *program, const char *text, int optimise, uint32_t mask)"),
    lastError: library.func("const char *pcap_geterr(void *p)"),
    run: library.func("int pcap_offline_filter(void *program, void *header, void *frame)"),
    freeCode: library.func("void pcap_freecode(void *program)"),
    close: library.func("void pcap_close(void *p)"),
  };
}

function firstThatLoads(libraries: readonly string[]) {
  let cause: unknown;
  for (const name of libraries) {
    try {
      return koffi.load(name);
    } catch (error) {
      cause = error;
    }
  }
  throw new VnflabError("VNF_CAPTURE", "libpcap cannot be loaded, which filters what is captured", {
    cause,
    hint: "apt-get install libpcap0.8",
  });
}
