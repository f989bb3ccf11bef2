/**
 * A copy of `bytes[start, end)`. `Buffer.from` would do, but copies out of shared memory word by word, which takes
 * five times as long for a large one.
 */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  (bytes as Buffer).copy(copy, 0, start, end);
  return copy;
}
