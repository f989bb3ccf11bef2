/**
 * What is wrong with a message, or with a value that was to become one:
 * - `truncated`: it ends before it is complete, or promises more than the bytes left can hold;
 * - `negative-size`: a length or a count is below zero;
 * - `size-limit`: it holds or would grow to more than a limit allows;
 * - `depth-limit`: structs or containers are nested deeper than the recursion limit;
 * - `bad-version`: it is not in the protocol's version;
 * - `invalid-data`: an unknown type, an overlong integer, or a value that its Thrift type can't carry.
 */
export type ProtocolErrorKind =
  | "truncated"
  | "negative-size"
  | "size-limit"
  | "depth-limit"
  | "bad-version"
  | "invalid-data";

// Thrift has no number for a message that ends early; INVALID_DATA is the nearest.
const THRIFT_TYPE: Readonly<Record<ProtocolErrorKind, number>> = {
  truncated: 1,
  "invalid-data": 1,
  "negative-size": 2,
  "size-limit": 3,
  "bad-version": 4,
  "depth-limit": 6,
};

/** A message can't be read, or a value can't be written as the type that the IDL gives it. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  readonly code = "SLUICE_PROTOCOL" as const;
  readonly kind: ProtocolErrorKind;
  /** The number that Thrift's TProtocolExceptionType has for this kind. */
  readonly type: number;

  constructor(kind: ProtocolErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.type = THRIFT_TYPE[kind];
  }
}
