/**
 * Frames on the byte stream between vnflab and its helper on the far side: two lengths (4 bytes each, big endian), a
 * head in JSON, and bytes that belong to it. Bytes are never put into JSON, because they may be any.
 */

const PREFIX_BYTES = 8;
/** Larger ones are a sign that something else than the helper writes to the stream. */
const FRAME_MAX_BYTES = 1 << 30;

export interface Frame {
  readonly head: unknown;
  readonly bytes: Uint8Array;
}

export const NO_BYTES = new Uint8Array(0);

export function encodeFrame(head: unknown, bytes: Uint8Array = NO_BYTES): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(text.length, 0);
  prefix.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([prefix, text, bytes]);
}

/** Takes the stream apart again, however it was cut. */
export class FrameReader {
  private held: Buffer[] = [];
  private heldBytes = 0;

  /** The frames that are complete with this chunk. Throws when the stream cannot be one of frames. */
  take(chunk: Uint8Array): Frame[] {
    this.held.push(Buffer.from(chunk));
    this.heldBytes += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.next(); frame; frame = this.next()) frames.push(frame);
    return frames;
  }

  private next(): Frame | undefined {
    if (this.heldBytes < PREFIX_BYTES) return undefined;
    const head = this.joined(PREFIX_BYTES);
    const headBytes = head.readUInt32BE(0);
    const end = PREFIX_BYTES + headBytes + head.readUInt32BE(4);
    if (end > FRAME_MAX_BYTES) throw new RangeError(`not a frame: ${JSON.stringify(head.toString("latin1", 0, 200))}`);
    if (this.heldBytes < end) return undefined;
    const all = this.joined(end);
    const bodyAt = PREFIX_BYTES + headBytes;
    const frame = { head: JSON.parse(all.toString("utf8", PREFIX_BYTES, bodyAt)), bytes: all.subarray(bodyAt, end) };
    this.held = [all.subarray(end)];
    this.heldBytes -= end;
    return frame;
  }

  /** Joins what is held only when the first piece is too short, so that large frames cost one copy. */
  private joined(bytes: number): Buffer {
    const [first] = this.held;
    if (first && first.length >= bytes) return first;
    const all = Buffer.concat(this.held);
    this.held = [all];
    return all;
  }
}
