/** Thrift's i64 as bigint. */
import type Int64 from "node-int64";

export const minI64: bigint = -(2n ** 63n);
export const maxI64: bigint = 2n ** 63n - 1n;

/** Whether the value fits into an i64. */
export function fitsI64(value: bigint): boolean {
  return value >= minI64 && value <= maxI64;
}

/** The nearest i64. */
export function clampI64(value: bigint): bigint {
  return value < minI64 ? minI64 : value > maxI64 ? maxI64 : value;
}

/** An i64 argument in whatever form the codec gave it, exactly; a missing one is 0. */
export function bigintOfI64(value: Int64 | number | bigint | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(Math.trunc(value));
  const { buffer, offset } = value;
  return BigInt.asIntN(
    64,
    (BigInt(buffer.readUInt32BE(offset)) << 32n) | BigInt(buffer.readUInt32BE(offset + 4)),
  );
}
