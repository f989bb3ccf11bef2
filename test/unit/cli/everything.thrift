/** All types that a call's arguments can have. Generated into ./gen by: thrift --gen js:node,ts,es6 -out gen everything.thrift */
enum Color { RED = 1, BLUE = 2 }

struct Inner {
  1: string name,
  2: optional i64 size,
}

struct All {
  1: bool yes,
  2: byte small,
  3: i16 short,
  4: i32 middle,
  5: i64 large,
  6: double real,
  7: string text,
  8: binary bytes,
  9: Color color,
  10: Inner inner,
  11: list<Inner> inners,
  12: set<string> names,
  13: map<string, i64> counts,
  14: map<i64, Inner> byNumber,
  15: list<list<i32>> rows,
  16: map<string, list<Inner>> grouped,
  17: optional string absent,
}

/** What must be given. */
struct Link {
  1: required string slug,
  2: optional Color color = Color.BLUE,
  3: required list<Inner> inners,
}

exception Refused {
  1: string message,
  2: i64 limit,
}

service Everything {
  All echo(1: All all),
  list<Inner> inners(1: list<Inner> inners),
  i64 add(1: i64 a, 2: i64 b),
  void refuse() throws (1: Refused refused),
  void break_(),
  void vanish(),
  oneway void note(1: string text),
  Link shorten(1: Link link),
  list<Link> shortenAll(1: list<Link> links),
  set<Color> colors(1: set<Color> colors),
  map<Color, list<Color>> mixes(1: map<Color, list<Color>> mixes),
  Color paint(1: Color color, 2: i32 times),
  list<list<i32>> rows(1: list<list<i32>> rows),
}
