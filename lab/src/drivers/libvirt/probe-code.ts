/**
 * The smallest machine that can tell a processor from an emulator: a 64 KB BIOS of our own.
 *
 * It switches to protected mode, counts a register down to zero and writes a byte to QEMU's exit device. A processor
 * needs about a tenth of a second for it; a hypervisor that interprets the guest instruction by instruction, minutes.
 */
const BIOS_BYTES = 64 * 1024;
/** The BIOS ends at 1 MB. */
const BIOS_ADDRESS = 0xf0000;
/** Where the processor begins. */
const RESET_OFFSET = 0xfff0;
const PROTECTED_OFFSET = 0x18;
const TABLE_OFFSET = 0x30;
const TABLE_POINTER_OFFSET = 0x48;

export const EXIT_PORT = 0xf4;
const EXIT_VALUE = 0x2a;
/** isa-debug-exit makes QEMU end with (value << 1) | 1. */
export const EXIT_CODE = (EXIT_VALUE << 1) | 1;

export function probeBios(rounds: number): Uint8Array {
  const bios = new Uint8Array(BIOS_BYTES);
  // Real mode, at F000:0000.
  bios.set([
    0xfa, // cli
    ...[0x2e, 0x66, 0x0f, 0x01, 0x16, ...word(TABLE_POINTER_OFFSET)], // lgdtl %cs:pointer
    ...[0x0f, 0x20, 0xc0], // mov %cr0, %eax
    ...[0x0c, 0x01], // or $1, %al
    ...[0x0f, 0x22, 0xc0], // mov %eax, %cr0
    ...[0x66, 0xea, ...long(BIOS_ADDRESS + PROTECTED_OFFSET), 0x08, 0x00], // ljmpl $8, $protected
  ]);
  bios.set(
    [
      ...[0x66, 0xb8, 0x10, 0x00], // mov $0x10, %ax
      ...[0x8e, 0xd8], // mov %eax, %ds
      ...[0xb9, ...long(rounds)], // mov $rounds, %ecx
      0x49, // again: dec %ecx
      ...[0x75, 0xfd], // jnz again
      ...[0xb0, EXIT_VALUE], // mov $value, %al
      ...[0xe6, EXIT_PORT], // out %al, $port
      ...[0xf4, 0xeb, 0xfd], // halt: hlt; jmp halt
    ],
    PROTECTED_OFFSET,
  );
  // Three descriptors: none, flat 32-bit code, flat data.
  bios.set([0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0], TABLE_OFFSET + 8);
  bios.set([0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0], TABLE_OFFSET + 16);
  bios.set([...word(3 * 8 - 1), ...long(BIOS_ADDRESS + TABLE_OFFSET)], TABLE_POINTER_OFFSET);
  bios.set([0xea, 0x00, 0x00, 0x00, 0xf0], RESET_OFFSET); // ljmp $0xf000, $0
  return bios;
}

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

function long(value: number): number[] {
  return [...word(value & 0xffff), ...word(value >>> 16)];
}
