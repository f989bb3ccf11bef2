/** How the pool's parts write to the server's log. */
export type PoolLog = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;
