/** Keeps the rules in a file. One of these lives on the state thread, so updates come to it one after the other. */
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Rule, RuleSet } from "./rules.ts";

const sqliteBusy = 5;

export class RuleStore {
  readonly #db: DatabaseSync;
  #current: RuleSet;

  /**
   * SQLite makes a change whole or not at all, and durable before `replace` returns. Its lock keeps a second process
   * from the file, and ends with this one, however that ends.
   */
  constructor(path: string) {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA synchronous = EXTRA;
        BEGIN EXCLUSIVE;
        CREATE TABLE IF NOT EXISTS rule_set (only INTEGER PRIMARY KEY, version INTEGER, rules TEXT);
        COMMIT`);
    } catch (cause) {
      this.#db.close();
      if ((cause as { errcode?: number }).errcode !== sqliteBusy) throw cause;
      // With this code, the successor of a server (sluice takeover) waits for it instead of giving up.
      throw Object.assign(new Error(`another process has ${path}`, { cause }), { code: "EBUSY" });
    }
    const row = this.#db.prepare("SELECT version, rules FROM rule_set").get();
    this.#current =
      row === undefined
        ? { version: 0, rules: [] }
        : { version: Number(row["version"]), rules: JSON.parse(String(row["rules"])) as Rule[] };
  }

  current(): RuleSet {
    return this.#current;
  }

  /** @returns the rules with their version; they are on the disk */
  replace(rules: readonly Rule[]): RuleSet {
    const version = this.#current.version + 1;
    this.#db.prepare("INSERT OR REPLACE INTO rule_set VALUES (1, ?, ?)").run(version, JSON.stringify(rules));
    this.#current = { version, rules };
    return this.#current;
  }

  close(): void {
    this.#db.close();
  }
}
