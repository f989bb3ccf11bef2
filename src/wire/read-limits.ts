/** What one message may ask of its reader. The size of the message itself is limited where it is framed. */
export interface ReadLimits {
  /**
   * How deep structs may be nested, and, counted apart, how deep containers may be nested. Two counts, because
   * Apache's readers count structs only: whatever they accept must be accepted here, and a tree of `struct Node
   * { 1: list<Node> children }` nests both at every level. Default 64.
   */
  readonly recursionLimit: number;
  /**
   * How many elements all containers of a message may hold together, skipped ones included; a map's entry
   * counts as one. The bytes of a message bound its elements already, but a struct without fields is one byte
   * on the wire and a hundred in memory. Default 1 000 000.
   */
  readonly maxContainerElements: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = { recursionLimit: 64, maxContainerElements: 1_000_000 };
