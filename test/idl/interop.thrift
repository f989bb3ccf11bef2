/**
 * All of Thrift's types, for clients of every language. What is sent there and back is a constant that both sides
 * were generated with, so each side checks what it reads against what it knows.
 *
 * Maps with structs or containers as keys are left out: generated JavaScript makes a map an object, whose keys are
 * strings. `byte` is the older name of `i8`, which thriftpy does not know.
 */
namespace py interop
namespace cpp interop
namespace go interop
namespace java interop

typedef i64 Wide
typedef list<Wide> Wides
typedef map<string, Wides> WidesByName

enum Colour { RED = 1, GREEN = 7, BLUE = 300 }

const i64 LARGEST = 9223372036854775807
const i64 SMALLEST = -9223372036854775807
const string TEXT = "quotes ' and \\ and /, [{]},: ü, €, 漢字, 𝄞"

struct Point {
  1: i32 x,
  2: optional string label,
}

/** Reaches itself through a list. */
struct Tree {
  1: i32 value,
  2: list<Tree> children,
}

union Choice {
  1: Wide wide,
  2: string text,
  3: Point point,
  4: list<Choice> choices,
  5: binary bytes,
}

/** Fields that have values before anybody sets them. */
struct Defaults {
  1: i32 number = 42,
  2: string text = "grün",
  3: list<i32> numbers = [1, 2, 3],
  4: Colour colour = Colour.GREEN,
  5: Wide wide = 9007199254740993,
  6: bool truth = true,
  7: double real = 0.5,
  8: map<string, i32> byName = {"a": 1},
}

/** Fields that may be there or not; being there with 0 or nothing in it is not the same as not being there. */
struct Optionals {
  1: optional bool truth,
  2: optional byte tiny,
  3: optional i32 medium,
  4: optional Wide wide,
  5: optional double real,
  6: optional string text,
  7: optional binary bytes,
  8: optional Point point,
  9: optional list<string> words,
  10: optional map<i32, i32> pairs,
}

struct Everything {
  1: bool truth,
  2: byte tiny,
  3: i16 small,
  4: i32 medium,
  5: i64 wide,
  6: double real,
  7: string text,
  8: binary bytes,
  9: Colour colour,
  10: Wides wides,
  11: set<string> words,
  12: map<i64, string> byWide,
  13: map<string, list<Point>> byText,
  14: map<i32, map<i16, bool>> nested,
  15: list<set<i32>> sets,
  16: list<bool> truths,
  17: list<double> reals,
  18: map<Colour, Point> byColour,
  19: WidesByName widesByName,
  20: list<list<list<byte>>> deep,
  21: required Point point,
  22: map<byte, Tree> trees,
  23: set<Colour> colours,
}

/**
 * Chosen so that each library can carry it: the npm library loses in JSON what follows an empty list in a map, and can
 * send no i64 beyond 2^53 as a key in compact; the compiler gives Go six digits of a double.
 */
const Everything EVERYTHING = {
  "truth": true,
  "tiny": -128,
  "small": -32768,
  "medium": -2147483648,
  "wide": 9223372036854775807,
  "real": -1.5e300,
  "text": "quotes ' and \\ and /, [{]},: ü, €, 漢字, 𝄞",
  "bytes": "no text, but bytes",
  "colour": Colour.BLUE,
  "wides": [9223372036854775807, -9223372036854775807, 0, -1, 9007199254740993, -9007199254740993, 4294967296],
  "words": ["a", "", "ü€𝄞"],
  "byWide": {9007199254740991: "largest", -9007199254740991: "smallest", 5: "five"},
  "byText": {"none": [], "k:": [{"x": 1, "label": "one"}, {"x": -2}]},
  "nested": {7: {3: true, 4: false}, 8: {}},
  "sets": [[1, 2, 3], []],
  "truths": [true, false, true],
  "reals": [0.5, -0.25, 1.0e300, 1234.5],
  "byColour": {Colour.RED: {"x": 3}},
  "widesByName": {"ü": [1, -1], "ü, none": []},
  "deep": [[[1, -1], []], []],
  "point": {"x": 2147483647, "label": ""},
  "trees": {1: {"value": 1, "children": [{"value": 2, "children": []}]}},
  "colours": [Colour.RED, Colour.BLUE],
}

exception Refused {
  1: string why,
  2: Colour colour,
  3: Point point,
}

exception Busy {
  1: Wide untilMs,
}

/** What `AllTypes` inherits. */
service Common {
  void nothing(),
  string inherited(1: string text),
}

service AllTypes extends Common {
  /** Its argument, when that is EVERYTHING; else it fails. */
  Everything everything(1: Everything value),
  /** Its argument, when no container, text or bytes in it have anything in them; else it fails. */
  Everything empty(1: Everything value),
  /** Defaults as the server makes them, when the argument is what the client's are; else it fails. */
  Defaults defaults(1: Defaults value),
  /** The names of the fields that are there, sorted. */
  list<string> present(1: Optionals value),
  Optionals optionals(1: Optionals value),
  Choice choose(1: Choice choice),
  /** Its argument in decimal. */
  string decimal(1: i64 value),
  /** 2^63-1, -2^63, 0 and 2^53+1, which the handler returns as `form` says: bigint, string or Int64. */
  list<i64> extremes(1: string form),
  /** 2^63-1 and -2^63 as keys of themselves. */
  map<i64, i64> extremeKeys(),
  /** The keys in decimal, sorted as text. */
  list<string> keys(1: map<i64, bool> given),
  byte tiny(1: byte value),
  i16 small(1: i16 value),
  i32 medium(1: i32 value),
  double real(1: double value),
  bool truth(1: bool value),
  Colour colour(1: Colour value),
  string text(1: string value),
  /** The sum of all values. */
  i64 sum(1: Tree tree),
  Tree tree(1: i32 depth),
  /** Its argument backwards. */
  binary reversed(1: binary value),
  /** Refused when `how` is "refused", Busy when it is "busy", something undeclared when it is "undeclared". */
  string fail(1: string how) throws (1: Refused refused, 2: Busy busy),
  oneway void note(1: string key, 2: string text),
  string noted(1: string key),
  /** The value of a THeader info header that came with the call; "" without it. */
  string header(1: string name),
}

/** Another service of the same server. */
service Second {
  string which(),
}

/** No server has it. */
service Absent {
  i32 absent(1: i32 value),
}
