/** The protocols by name, and their numbers as they travel between threads. */
export const ProtocolNumber = { binary: 0, compact: 1, json: 2 } as const;

/** A Thrift protocol. `binary` is the strict one; `json` is TJSONProtocol. */
export type ProtocolName = keyof typeof ProtocolNumber;

/** The names by number. */
export const protocolNames: readonly ProtocolName[] = ["binary", "compact", "json"];
