/**
 * Headers that the server itself gives to calls. No client can send them: what comes under such a name is
 * left out.
 */

/** What TLS says of the client's certificate, as JSON. */
export const peerCertificateHeader = "sluice-peer-certificate";

/** Longer names are not reserved, in bytes. */
export const longestReservedName: number = peerCertificateHeader.length;

/** Whether a header of this name is the server's own, in whatever case it is written. */
export function isReservedHeader(name: string): boolean {
  return name.toLowerCase() === peerCertificateHeader;
}
