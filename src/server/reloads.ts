/** Reloading while the server serves: the files of TLS, the services in the workers, and what the program adds. */
import type { PhaseName } from "../lifecycle/phases.ts";
import type { ServerLog } from "../log/log.ts";
import { messageOf } from "../service/thrown.ts";
import type { Parts } from "./parts.ts";
import type { Supervisor } from "./supervisor.ts";

export interface ReloadsOptions {
  readonly parts: Parts;
  readonly phase: () => PhaseName;
  /** Is told that what follows is no stop. */
  readonly supervisor: Supervisor | undefined;
  readonly log: ServerLog;
}

export class Reloads {
  readonly #options: ReloadsOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ReloadsOptions) {
    this.#options = options;
  }

  /**
   * Reloads, one after the other: workers answer a reload once. Does nothing in a start or stop.
   *
   * @throws what `onHup` throws
   */
  reload(): Promise<void> {
    const next = this.#last.catch(() => {}).then(() => this.#reloadNow());
    this.#last = next;
    return next;
  }

  /** The same when nobody hears of a failure but the log. */
  reloadForSignal(): void {
    this.reload().catch((error: unknown) =>
      this.#options.log.error("onHup failed", { error: messageOf(error) }),
    );
  }

  async #reloadNow(): Promise<void> {
    const { phase, supervisor } = this.#options;
    if (phase() !== "serving" && phase() !== "lame-duck") return;
    supervisor?.reloading();
    try {
      await this.#reloadServices();
    } finally {
      supervisor?.reloaded();
    }
  }

  async #reloadServices(): Promise<void> {
    const { parts, log } = this.#options;
    const tlsFailed = !this.#reloadTls();
    const failures = await parts.pool.ask("reload");
    for (const { service, message } of failures) {
      log.error("a service could not reload", { service, error: message });
    }
    await parts.config.onHup?.();
    log.info("reloaded", { failures: failures.length + (tlsFailed ? 1 : 0) });
  }

  /** @returns whether the files are of use, if there are any */
  #reloadTls(): boolean {
    try {
      this.#options.parts.tls?.reload();
      return true;
    } catch (error) {
      this.#options.log.error("the new files of TLS are of no use; the old certificate stays", {
        error: messageOf(error),
      });
      return false;
    }
  }
}
