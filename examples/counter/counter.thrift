/** Counts. */
service Counter {
  /** Adds one, and says how many there are now. */
  i64 hit(1: string name)

  i64 count(1: string name)
}
