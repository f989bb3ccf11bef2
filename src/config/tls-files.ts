/** The options of TLS that name files: which belong together, and what the files hold. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { OptionError } from "./option-error.ts";
import type { OptionReader } from "./read-options.ts";
import type { OptionKey } from "./serve-options.ts";

/** The files of a server that speaks TLS. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

/** A file of TLS can't be read. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
  readonly code = "SLUICE_TLS_FILE";
}

/**
 * Takes the options of TLS together and looks into their files.
 *
 * @returns undefined when TLS is not configured
 * @throws {OptionError} when one misses another, and when a file can't be read or holds something else
 */
export function resolveTls(read: OptionReader<OptionKey>): TlsFiles | undefined {
  const cert = read.optionalText("tlsCert");
  const key = read.optionalText("tlsKey");
  const ca = read.optionalText("tlsCa");
  if (cert === undefined || key === undefined) {
    checkAbsent(read, cert, key, ca);
    return undefined;
  }
  const minVersion = read.text("tlsMinVersion") as TlsFiles["minVersion"];
  const pem = { cert: readAs(read, "tlsCert", cert), key: readAs(read, "tlsKey", key) };
  check(read.writtenAs("tlsCert"), cert, "certificate", () => new X509Certificate(pem.cert));
  check(read.writtenAs("tlsKey"), key, "key of that certificate", () => createSecureContext(pem));
  if (ca !== undefined) {
    const certificates = readAs(read, "tlsCa", ca);
    check(read.writtenAs("tlsCa"), ca, "CA certificate", () => new X509Certificate(certificates));
  }
  return { cert, key, ca, minVersion };
}

/** Whether clients may go without TLS. Not where they need a certificate: it would be of no use. */
export function resolvePlaintext(read: OptionReader<OptionKey>): "allow" | "refuse" {
  const given = read.optionalText("plaintext") as "allow" | "refuse" | undefined;
  return given ?? (read.optionalText("tlsCa") === undefined ? "allow" : "refuse");
}

/**
 * Reads the files.
 *
 * @throws {TlsFileError}
 */
export function readTlsFiles({ cert, key, ca }: TlsFiles): { cert: Buffer; key: Buffer; ca?: Buffer } {
  return { cert: readFile(cert), key: readFile(key), ...(ca === undefined ? {} : { ca: readFile(ca) }) };
}

/** Without a certificate and its key the rest has no meaning. */
function checkAbsent(
  read: OptionReader<OptionKey>,
  cert: string | undefined,
  key: string | undefined,
  ca: string | undefined,
): void {
  const [certName, keyName] = ["tlsCert", "tlsKey"].map((name) => read.writtenAs(name)) as [string, string];
  if (cert !== undefined) throw new OptionError(certName, `give ${keyName} too, the file of its private key`);
  if (key !== undefined)
    throw new OptionError(keyName, `give ${certName} too, the certificate that it belongs to`);
  if (ca !== undefined) throw new OptionError(read.writtenAs("tlsCa"), `give ${certName} and ${keyName} too`);
  if (read.optionalText("plaintext") === "refuse") {
    throw new OptionError(
      read.writtenAs("plaintext"),
      `refuse is not allowed without ${certName} and ${keyName}`,
    );
  }
}

function readAs(read: OptionReader<OptionKey>, option: OptionKey, path: string): Buffer {
  try {
    return readFile(path);
  } catch (error) {
    throw new OptionError(read.writtenAs(option), (error as Error).message);
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : code;
    throw new TlsFileError(`can't read ${path}: ${why}`, { cause });
  }
}

/** What OpenSSL says of a file that it can't use may quote it: only its reason is passed on. */
function check(writtenAs: string, path: string, what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { reason } = error as { reason?: string };
    throw new OptionError(
      writtenAs,
      `${path} holds no usable ${what}${reason === undefined ? "" : ` (${reason})`}`,
    );
  }
}
