/** The states of a connection, and why one was closed. */

/**
 * - `open`: reads and answers. → `refusing`, `leaving`, `broken`, `ending`, `closed`
 * - `refusing`: a drain does not wait for its silence any longer: what is read whole is not handed to
 *   workers. → `leaving` once nothing is in flight, `broken`, `ending`, `closed`
 * - `leaving`: nothing is in flight. What the kernel has is read, for the last time; all that is whole then is refused,
 *   and our FIN follows. → `ending`, `closed`
 * - `broken`: bytes came that are no message, and calls before them are in flight. Nothing more is read as a
 *   message; our FIN follows the last of their replies. → `ending`, `closed`
 * - `ending`: our FIN follows the last reply; what still comes is thrown away. → `closed`
 * - `closed`: the socket is gone. Calls in flight go on; their replies are orphaned.
 */
export type ConnectionState = "open" | "refusing" | "leaving" | "broken" | "ending" | "closed";

/** Why a connection was closed, as it is counted. */
export type CloseReason = "peer" | "drain" | "malformed" | "timeout" | "memory" | "error";
