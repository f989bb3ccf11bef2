/** A peer's certificate, as it travels with the calls of its connection: as a header that no client can send. */
import type { PeerCertificate } from "node:tls";
import { peerCertificateHeader } from "../wire/reserved-headers.ts";

/** What handlers see of it, as the header that carries it. */
export function certificateHeaders(certificate: PeerCertificate): Record<string, string> {
  const { subject, issuer, subjectaltname, serialNumber, fingerprint256 } = certificate;
  return {
    [peerCertificateHeader]: JSON.stringify({
      subject: nameOf(subject),
      issuer: nameOf(issuer),
      subjectAltName: subjectaltname ?? "",
      serialNumber,
      fingerprint256,
    }),
  };
}

/** A distinguished name as one text, for example "CN=billing,O=Example". */
function nameOf(name: object): string {
  return Object.entries(name)
    .flatMap(([key, value]: [string, string | string[]]) =>
      [value].flat().map((one) => `${key}=${escaped(one)}`),
    )
    .reverse()
    .join(",");
}

/** As RFC 4514 has it, so that no name can pretend to have further parts. */
function escaped(value: string): string {
  return value.replace(/[,+"\\<>;=]|^[ #]| $/g, "\\$&");
}
