/** A server with small limits, and what its memory may be with them. */
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { makeCertificate, noOpenssl } from "../integration/net/certificates.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import { partialFrameMs } from "./observe.ts";

const MiB = 1024 * 1024;

type LimitName =
  | "workers"
  | "maxConnections"
  | "maxInFlight"
  | "maxInFlightPerConnection"
  | "maxBufferedBytes"
  | "workerMemoryBytes";

/** The limits that the formula of docs/limits.md goes by. */
export const limits: Readonly<Record<LimitName, number>> = {
  workers: 3,
  maxConnections: 300,
  maxInFlight: 5_000,
  maxInFlightPerConnection: 32,
  maxBufferedBytes: 48 * MiB,
  workerMemoryBytes: 128 * MiB,
};

/** Starts it. @param more further flags */
export async function startHostileServer(
  t: TestContext,
  more: readonly string[] = [],
): Promise<ServerProcess> {
  const tls = noOpenssl === undefined ? makeCertificate(temporaryFolder(t), "server") : undefined;
  return await startServer(t, {
    modules: [fixture("probe"), fixture("kinds")],
    args: [
      ...flagsOf({
        workers: limits.workers,
        maxConnections: limits.maxConnections,
        maxInFlight: limits.maxInFlight,
        maxInFlightPerConnection: limits.maxInFlightPerConnection,
        maxBuffered: `${limits.maxBufferedBytes}`,
        workerMemory: `${limits.workerMemoryBytes}`,
        maxFrameSize: "1MiB",
        maxMessageSize: "2MiB",
        maxContainerElements: 200_000,
        recursionLimit: 32,
        partialFrameTimeout: `${partialFrameMs}ms`,
        tlsHandshakeTimeout: `${partialFrameMs}ms`,
        idleTimeout: "1500ms",
        writeTimeout: "1s",
        logLevel: "error",
      }),
      ...(tls === undefined ? [] : ["--tls-cert", tls.certFile, "--tls-key", tls.keyFile]),
      ...more,
    ],
    lifeMs: 110_000,
  });
}

function flagsOf(options: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => [
    `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    `${value}`,
  ]);
}

/** The formula of docs/limits.md: what the process may take, given what it took when it had nothing to do. */
export function memoryBoundBytes(idleBytes: number): number {
  const { maxConnections, maxInFlight, maxBufferedBytes, workers, workerMemoryBytes } = limits;
  const collector = 1.5;
  const main = 2 * maxBufferedBytes + maxConnections * 128 * 1024 + maxInFlight * 8 * 1024;
  return idleBytes + collector * main + workers * 1.5 * workerMemoryBytes;
}

/** What the process has of the machine's memory now, and what it had at most, in bytes. */
export function memoryOf({ pid }: ServerProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: kib("VmRSS") * 1024, peak: kib("VmHWM") * 1024 };
}
