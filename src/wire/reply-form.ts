/** Bits that say in which form a reply has to be written. They travel to the workers with the call. */
export const ReplyForm = {
  /** The protocol's number in the low bits. */
  PROTOCOL_MASK: 0x0f,
  /** The message is preceded by its length in four bytes. */
  FRAMED: 0x10,
  /** The message is compressed as a zlib stream of its own (THeader's transform). */
  ZLIB: 0x20,
} as const;
