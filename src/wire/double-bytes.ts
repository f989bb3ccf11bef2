/**
 * The 8 bytes of a double on their way to or from a message; a DataView over each message's buffer would cost
 * more.
 */
export const doubleBytes: Uint8Array = new Uint8Array(8);
const view = new DataView(doubleBytes.buffer);

/** The double that stands in `doubleBytes`. */
export function doubleOfBytes(littleEndian: boolean): number {
  return view.getFloat64(0, littleEndian);
}

/** Puts a double into `doubleBytes`; every NaN in the same form, whatever bits it had in memory. */
export function doubleToBytes(value: number, littleEndian: boolean): void {
  view.setFloat64(0, value, littleEndian);
  if (!Number.isNaN(value)) return;
  doubleBytes.fill(0);
  doubleBytes[littleEndian ? 7 : 0] = 0x7f;
  doubleBytes[littleEndian ? 6 : 1] = 0xf8;
}
