/** The address to connect to for one that is listened on: a server that listens everywhere is reached through loopback. */
export function reachable(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}

/** Host and port as a URL has them. */
export function placeName(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
