/** Says which rules match some bytes; its rules can be replaced while it runs. */
import { defineService } from "thrift-sluice";
import Scanner from "./gen/Scanner.js";
import { RuleStore } from "./rule-store.ts";
import { type ActiveRules, activate, checkRules, type RuleSet } from "./rules.ts";

export default defineService({
  name: "Scanner",
  service: Scanner,
  resources: {
    store: {
      scope: "process",
      open: () => new RuleStore(process.env["SCANNER_RULES"] ?? "data/rules.db"),
      close: (store) => store.close(),
    },
  },
  methods: {
    match: { timeoutMs: 5_000, idempotent: true },
    rules: { timeoutMs: 5_000, idempotent: true },
    // Not idempotent: one that is repeated late would undo what others have updated since.
    update: { timeoutMs: 10_000 },
  },
  handler: async ({ resources: { store }, onPublish, publish }) => {
    let latest: RuleSet = { version: 0, rules: [] };
    onPublish((value) => {
      const published = value as RuleSet;
      // Two updates may be published in the other order than they were stored in.
      if (published.version > latest.version) latest = published;
    });
    // Replaced as a whole and asked for once per call: no call can see a mixture. Not the listener's work, for if that
    // fails, the next call would be answered by the old rules.
    let active = activate(latest);
    const activeRules = (): ActiveRules => {
      if (active.version !== latest.version) active = activate(latest);
      return active;
    };
    // Also what this worker finds stored is published: whoever stored it may have died before it told the others.
    await publish(await store.current());
    return {
      match: (bytes) => {
        const { version, match } = activeRules();
        return { version, rules: match(bytes) };
      },
      update: async (rules) => {
        const stored = await store.replace(checkRules(rules));
        await publish(stored);
        return stored.version;
      },
      rules: () => ({ version: latest.version, rules: [...latest.rules] }),
    };
  },
});
