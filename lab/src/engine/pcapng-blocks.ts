/** Cuts a pcapng stream into its blocks, whole, without looking further into them than it must. Pure. */

const PACKET = 6;
const CAPTURED_LENGTH = 20;
const REAL_LENGTH = 24;
const FRAME = 28;
const STATISTICS = 5;
const STATISTICS_OPTIONS = 20;
const DROPPED = 5;

export interface Block {
  readonly bytes: Uint8Array;
  readonly isPacket: boolean;
  /** Frames that did not get into the capture, in a statistics block. */
  readonly dropped?: number;
}

export class BlockSplitter {
  private rest: Uint8Array = new Uint8Array();

  /** The blocks that are complete with this chunk. */
  push(chunk: Uint8Array): Block[] {
    const all = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const view = viewOf(all);
    const blocks: Block[] = [];
    let at = 0;
    while (at + 8 <= all.length) {
      const length = view.getUint32(at + 4, true);
      // A length that is none would hold the stream up for ever; let whoever reads the file complain.
      const end = length < 12 ? all.length : at + length;
      if (end > all.length) break;
      blocks.push(block(all.subarray(at, end)));
      at = end;
    }
    this.rest = all.slice(at);
    return blocks;
  }
}

function block(bytes: Uint8Array): Block {
  const type = viewOf(bytes).getUint32(0, true);
  const known = { bytes, isPacket: type === PACKET };
  return type === STATISTICS ? { ...known, dropped: droppedIn(bytes) } : known;
}

/** The value of isb_ifdrop; 0 when it is not there. */
function droppedIn(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  for (let at = STATISTICS_OPTIONS; at + 4 <= bytes.length - 4; ) {
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (code === DROPPED && length === 8) return Number(view.getBigUint64(at + 4, true));
    if (code === 0) break;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return 0;
}

/** The frame in a block that is a packet, and its length on the wire. */
export function frameOf({ bytes }: Block): { readonly frame: Uint8Array; readonly length: number } {
  const view = viewOf(bytes);
  const end = FRAME + view.getUint32(CAPTURED_LENGTH, true);
  return { frame: bytes.subarray(FRAME, end), length: view.getUint32(REAL_LENGTH, true) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
