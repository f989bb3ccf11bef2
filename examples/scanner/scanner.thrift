/** Finds out which rules match some bytes. */

struct Rule {
  1: string name
  /** The bytes that are looked for, as text (UTF-8). \xNN is one byte, \\ a backslash. */
  2: string pattern
}

struct RuleSet {
  /** Counted up by each update; 0: there never were rules. */
  1: i64 version
  2: list<Rule> rules
}

struct Found {
  /** The version of the rules that were looked for: all of them, and no others. */
  1: i64 version
  /** The names of those that match, in the rules' order. */
  2: list<string> rules
}

/** A rule breaks what the service asks of rules. Nothing was changed. */
exception BadRule {
  1: string rule
  2: string message
}

service Scanner {
  Found match(1: binary bytes)

  /** Replaces all rules. When it answers, they are durable, and every call that is made from then on sees them. */
  i64 update(1: list<Rule> rules) throws (1: BadRule bad)

  RuleSet rules()
}
