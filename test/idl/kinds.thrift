/** Every type of Thrift, sent there and back in every protocol. */
namespace py kinds

enum Colour { RED = 1, GREEN = 7 }

struct Point {
  1: i32 x,
  2: optional string label,
}

struct Kinds {
  1: optional bool truth,
  2: optional i8 tiny,
  3: optional i16 small,
  4: optional i32 medium,
  5: optional i64 wide,
  6: optional double real,
  7: optional string text,
  8: optional binary bytes,
  9: optional Colour colour,
  10: optional list<i64> wides,
  11: optional set<string> words,
  12: optional map<i64, string> byWide,
  13: optional map<string, list<Point>> byText,
  14: optional map<i32, map<i16, bool>> nested,
  15: optional map<bool, i8> byTruth,
  16: optional map<double, i64> byReal,
  17: optional set<i64> wideSet,
  18: optional list<Kinds> children,
  19: optional list<bool> truths,
  20: optional list<double> reals,
  21: optional map<Colour, Point> byColour,
}

exception Refused {
  1: string why,
}

service Echo {
  Kinds kinds(1: Kinds value),
  /** Extreme values, returned as `form` says: bigint, string, Int64 or number (those that are exact). */
  Kinds extremes(1: string form),
  /** What the request's i64 map keys look like in the handler. */
  list<string> keys(1: map<i64, i64> given),
  string header(1: string name),
  /** Ms until the deadline, 0 for none. */
  i32 deadline(),
  i32 sleep(1: i32 ms),
  binary blob(1: i32 bytes),
  string refuse(1: string why) throws (1: Refused refused),
  void nothing(),
  oneway void note(1: string text),
  string noted(),
}
