/** Certificates for tests, made by the openssl command. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Why tests with certificates have to be skipped; undefined when they can run. */
export const noOpenssl: string | undefined = findOpenssl();

/** A certificate and its key as files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}

function findOpenssl(): string | undefined {
  try {
    openssl("version");
    return undefined;
  } catch {
    return "the openssl command is missing: no certificates can be made";
  }
}

/** Makes a CA, or with `ca` a certificate that it signed, named `name`, in the folder. */
export function makeCertificate(folder: string, name: string, ca?: Certificate): Certificate {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const names = [
    "-subj",
    `/O=Sluice, tests/CN=${name}`,
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
  ];
  const signed = ca === undefined ? [] : ["-CA", ca.certFile, "-CAkey", ca.keyFile];
  openssl("req", "-x509", ...key, ...names, ...signed, "-days", "2", "-out", certFile);
  return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
