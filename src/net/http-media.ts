/** Which media types a Thrift body may have, and what is said to people. */

const thriftTypes: ReadonlySet<string> = new Set([
  "application/x-thrift",
  "application/thrift",
  "application/vnd.apache.thrift.binary",
  "application/vnd.apache.thrift.compact",
  "application/vnd.apache.thrift.json",
  "application/vnd.apache.thrift.header",
  "application/octet-stream",
  "application/json",
]);

/** What a reply says when its request said nothing. */
export const defaultMediaType = "application/x-thrift";

/**
 * Whether a body of this type may be a Thrift message. Forms and `text/plain` are not: those are what any
 * web page may send anywhere without being asked.
 */
export function isThriftType(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  return thriftTypes.has(contentType.split(";", 1)[0]!.trim().toLowerCase());
}

export const allowedMethods = "POST, GET, HEAD, OPTIONS";

export const hint = `This is a Thrift server. POST one Thrift message (binary, compact, JSON or THeader) to any path,
or open a WebSocket, or speak Thrift to this port directly.
`;

/** The types, for the one who sent another. */
export const acceptedTypes: string = [...thriftTypes].join(", ");
