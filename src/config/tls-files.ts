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

type TlsOption = "tlsCert" | "tlsKey" | "tlsCa";

/** A file of TLS can't be read, or is of no use. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
  readonly code = "SLUICE_TLS_FILE";
  /** The option that names the file. */
  readonly option: TlsOption;

  constructor(option: TlsOption, message: string, cause?: unknown) {
    super(message, { cause });
    this.option = option;
  }
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
  const files = { cert, key, ca, minVersion };
  try {
    readTlsFiles(files);
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    throw new OptionError(read.writtenAs(error.option), error.message);
  }
  return files;
}

/** Whether clients may go without TLS. Not where they need a certificate: it would be of no use. */
export function resolvePlaintext(read: OptionReader<OptionKey>): "allow" | "refuse" {
  const given = read.optionalText("plaintext") as "allow" | "refuse" | undefined;
  return given ?? (read.optionalText("tlsCa") === undefined ? "allow" : "refuse");
}

/**
 * Reads the files and tries them out.
 *
 * @throws {TlsFileError} when one can't be read, or holds something else
 */
export function readTlsFiles({ cert, key, ca }: TlsFiles): { cert: Buffer; key: Buffer; ca?: Buffer } {
  const pem = { cert: readFile("tlsCert", cert), key: readFile("tlsKey", key) };
  check("tlsCert", cert, "certificate", () => new X509Certificate(pem.cert));
  check("tlsKey", key, "key of that certificate", () => createSecureContext(pem));
  if (ca === undefined) return pem;
  const authorities = readFile("tlsCa", ca);
  check("tlsCa", ca, "CA certificate", () => new X509Certificate(authorities));
  return { ...pem, ca: authorities };
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

function readFile(option: TlsOption, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : code;
    throw new TlsFileError(option, `can't read ${path}: ${why}`, cause);
  }
}

/** What OpenSSL says of a file that it can't use may quote it: only its reason is passed on. */
function check(option: TlsOption, path: string, what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { reason } = error as { reason?: string };
    const why = reason === undefined ? "" : ` (${reason})`;
    throw new TlsFileError(option, `${path} holds no usable ${what}${why}`);
  }
}
