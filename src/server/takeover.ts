/** The side of a takeover that is replaced: start the successor, wait until it can serve, let go. */
import { TakeoverRefusedError } from "../lifecycle/errors.ts";
import type { PhaseName } from "../lifecycle/phases.ts";
import type { ServerLog } from "../log/log.ts";
import type { Parts } from "./parts.ts";
import type { Succession, Successor, TakeoverStatus } from "./succession.ts";

export interface TakeoverOptions {
  readonly parts: Parts;
  readonly startSuccessor: Succession["startSuccessor"];
  readonly phase: () => PhaseName;
  readonly log: ServerLog;
  /** The successor has the listeners from here on: drain. */
  readonly handOver: (pid: number) => void;
}

/** At most one takeover at a time; one that failed can be tried again. */
export class Takeover {
  readonly #options: TakeoverOptions;
  #status: TakeoverStatus | undefined;
  #successor: Successor | undefined;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** Undefined as long as nobody asked for one. */
  get status(): TakeoverStatus | undefined {
    return this.#status;
  }

  /**
   * Starts the successor. What comes of it is in `status`.
   *
   * @returns its process id
   * @throws {TakeoverRefusedError} that says why this process can't be replaced, or not now
   */
  request(): number {
    const { startSuccessor, phase, parts, log } = this.#options;
    if (startSuccessor === undefined) {
      throw new TakeoverRefusedError("only a server that was started with sluice serve can be taken over");
    }
    if (phase() !== "serving") throw new TakeoverRefusedError(`the server is ${phase()}, not serving`);
    if (this.#status?.state === "starting") {
      throw new TakeoverRefusedError(`process ${this.#status.pid} is taking over already`);
    }
    if (parts.listenAt.kind === "unix") {
      throw new TakeoverRefusedError(
        "the file of a Unix domain socket goes with the process that made it; use systemd's socket activation",
      );
    }
    const successor = startSuccessor({ thrift: parts.acceptor.server, admin: parts.admin!.listener });
    const { pid } = successor;
    log.info("a successor starts", { successor: pid });
    this.#status = { state: "starting", pid };
    this.#successor = successor;
    void this.#follow(successor);
    return pid;
  }

  /** A stop began. A successor that is still starting would otherwise serve on. */
  stopBegun(): void {
    if (this.#status?.state === "starting") this.#successor?.cancel();
  }

  /** All resources are closed. */
  released(): void {
    if (this.#status?.state === "handed-over") this.#successor?.release();
  }

  async #follow(successor: Successor): Promise<void> {
    const { pid } = successor;
    const { parts, phase, log } = this.#options;
    try {
      await successor.able;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.error("the takeover failed", { successor: pid, error: why });
      this.#status = { state: "failed", pid, why };
      return;
    }
    if (phase() !== "serving") {
      successor.cancel();
      this.#status = { state: "failed", pid, why: "a stop began meanwhile" };
      return;
    }
    this.#status = { state: "handed-over", pid };
    parts.admin?.stopListening();
    parts.acceptor.shared = true;
    this.#options.handOver(pid);
    successor.letGo();
    // There is no way back: the listeners are closed here.
    const how = await successor.ended;
    log.error("the successor has ended and nobody serves", { successor: pid, error: how });
  }
}
