/** Asks a running server through its admin port. */
import { request } from "node:http";
import type { StatusDocument } from "../admin/status.ts";
import type { CountOption, OptionSpec } from "../config/option-kinds.ts";
import { options } from "../config/options.ts";
import type { OptionReader } from "../config/read-options.ts";
import { placeName, reachable } from "./reachable.ts";

/** The options of every command that talks to the admin port. */
export const adminOptions: Readonly<Record<"adminHost" | "adminPort" | "adminToken", OptionSpec>> = {
  adminHost: { ...options.adminHost, help: "where the server's admin port is" },
  adminPort: { ...(options.adminPort as CountOption), min: 1, help: "the server's admin port" },
  adminToken: { ...options.adminToken, help: "the server's admin token, when it has one" },
};

/** The admin port could not be asked. */
export class AdminError extends Error {
  readonly code = "SLUICE_ADMIN";
  override readonly name = "AdminError";
  /** `gone`: nothing listens (any more). `silent`: no answer in time. `refused`: it answered no. */
  readonly kind: "gone" | "silent" | "refused";

  constructor(kind: AdminError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** The end of a server, watched through its stream of events. */
export interface AwaitedEnd {
  /** Resolves with the drain report when the server ends; null when it could not be had. Never rejects. */
  readonly report: Promise<unknown>;
  /** Watches no longer. */
  stop(): void;
}

/** A server's admin port. */
export interface AdminClient {
  /** Where it is, for people. */
  readonly where: string;
  /** @throws {AdminError} */
  status(): Promise<StatusDocument>;
  /** Asks for a drain. @throws {AdminError} */
  drain(reason: string): Promise<void>;
  /** Takes a drain back. @throws {AdminError} also when it is too late */
  undrain(): Promise<void>;
  /** Watches for the server's end. */
  awaitEnd(): AwaitedEnd;
  /** Asks for a takeover. @returns the successor's process id @throws {AdminError} */
  takeover(): Promise<number>;
}

/** How long an answer may take; the main thread of a server that lives answers within milliseconds. */
const answerMs = 5000;

/** No answer is larger than this; more is no Sluice. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** Makes the client from the options of {@link adminOptions}. */
export function createAdminClient(read: OptionReader<keyof typeof adminOptions>): AdminClient {
  const host = reachable(read.text("adminHost"));
  const port = read.number("adminPort");
  const token = read.optionalText("adminToken");
  const where = placeName(host, port);

  function ask(method: "GET" | "POST", path: string, body?: string): Promise<string> {
    const headers: Record<string, string> = { connection: "close" };
    if (method === "POST") {
      // No web page can send this header across origins.
      headers["x-sluice-admin"] = "1";
      headers["content-type"] = "application/json";
      if (token !== undefined) {
        headers["authorization"] = `Bearer ${token}`;
      }
    }
    return new Promise((resolve, reject) => {
      const asking = request({ host, port, path, method, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > maxAnswerBytes) {
            response.destroy(new Error("its answer is too large"));
          }
        });
        response.on("error", (error) => reject(goneError(where, error)));
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) {
            resolve(text);
          } else {
            reject(new AdminError("refused", refusal(status, `${method} ${path}`, text)));
          }
        });
      });
      const timer = setTimeout(() => asking.destroy(silentError(where)), answerMs);
      asking.on("close", () => clearTimeout(timer));
      asking.on("error", (error) => reject(error instanceof AdminError ? error : goneError(where, error)));
      asking.end(body);
    });
  }

  function refusal(status: number, asked: string, text: string): string {
    if (status !== 401) return `${where} answered ${status} to ${asked}: ${text.trim().slice(0, 200)}`;
    return token === undefined
      ? `${where} wants its admin token, and none was given; give it by --admin-token or SLUICE_ADMIN_TOKEN`
      : `${where} refuses the admin token that ${read.writtenAs("adminToken")} gives`;
  }

  return {
    where,
    async status() {
      const text = await ask("GET", "/statusz");
      try {
        return JSON.parse(text) as StatusDocument;
      } catch (cause) {
        throw new AdminError("refused", `what answers on ${where} is no admin port of Sluice`, cause);
      }
    },
    async drain(reason) {
      await ask("POST", "/drain", JSON.stringify({ reason }));
    },
    async undrain() {
      await ask("POST", "/undrain");
    },
    awaitEnd: () => awaitEnd(host, port),
    async takeover() {
      return (JSON.parse(await ask("POST", "/takeover")) as { readonly pid: number }).pid;
    },
  };
}

/** The last event has the report; the port closes behind it, so that asking for it would come too late. */
function awaitEnd(host: string, port: number): AwaitedEnd {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const asking = request({ host, port, path: "/events", agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      // What lies before the last event is of no use here.
      text = (text + chunk).slice(-maxAnswerBytes);
      const lastAt = text.indexOf("event: last\n");
      text = lastAt >= 0 ? text.slice(lastAt) : text.slice(text.lastIndexOf("\n\n") + 2);
    });
    response.on("error", () => resolve(null));
    response.on("end", () => resolve(reportIn(text)));
  });
  asking.on("error", () => resolve(null));
  asking.end();
  return { report: promise, stop: () => void asking.destroy() };
}

function reportIn(lastEvent: string): unknown {
  const data = /^event: last\ndata: (.*)$/m.exec(lastEvent)?.[1];
  return data === undefined ? null : (JSON.parse(data) as StatusDocument).lastReport;
}

function silentError(where: string): AdminError {
  return new AdminError("silent", `no answer from ${where} within ${answerMs / 1000} s`);
}

function goneError(where: string, cause: Error): AdminError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new AdminError(
    "gone",
    code === "ECONNREFUSED"
      ? `nothing listens on ${where}: is the server running, and is this its admin port (--admin-host, --admin-port)?`
      : `can't ask ${where}: ${cause.message}`,
    cause,
  );
}
