import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type FakeServer, startFakeServer } from "./fake-server.ts";
import { type Ran, runSluice } from "./run-sluice.ts";

const module = fileURLToPath(new URL("./everything-service.ts", import.meta.url));
let server: FakeServer;

before(async () => {
  server = await startFakeServer();
});

after(() => server.close());

function call(...argv: string[]): Promise<Ran> {
  return runSluice(["call", "--port", String(server.port), module, ...argv]);
}

/** What a mistake is answered with, before anything is sent. */
async function mistakeOf(...argv: string[]): Promise<string> {
  const { code, out, err } = await call(...argv);
  assert.equal(code, 2, err);
  assert.equal(out, "");
  assert.match(err, /^sluice: .*\n$/);
  return err.slice("sluice: ".length, -1);
}

describe("sluice call", () => {
  test("sends every type that JSON can stand for, and shows it again", async () => {
    const all = {
      yes: true,
      small: 100,
      short: -30_000,
      middle: 2_000_000_000,
      large: -5,
      real: 1.5,
      text: "grün",
      bytes: "AP+A",
      color: "BLUE",
      inner: { name: "i", size: 3 },
      inners: [{ name: "a" }, { name: "b", size: 0 }],
      names: ["x", "y"],
      counts: { one: 1, two: 2 },
      byNumber: { "-7": { name: "seven" } },
      rows: [[1, 2], [], [3]],
      grouped: { g: [{ name: "z" }] },
    };
    const { code, out, err } = await call("echo", JSON.stringify(all));
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), all);
    assert.equal(out.trimEnd().split("\n").length, 1);
  });

  test("keeps every digit of an i64, given as number or as text, and as the key of a map", async () => {
    const { out } = await call(
      "echo",
      '{"large":9223372036854775807,"counts":{"a":"-9223372036854775808"},"byNumber":{"9007199254740993":{"name":"n"}}}',
    );
    assert.deepEqual(JSON.parse(out), {
      large: "9223372036854775807",
      counts: { a: "-9223372036854775808" },
      byNumber: { "9007199254740993": { name: "n" } },
    });
  });

  test("a list for a method with one list argument may be written as it is", async () => {
    for (const text of ['[{"name":"a"}]', '[[{"name":"a"}]]', '[{"name":"a"},{"name":"b"}]', "[]"]) {
      const { out, err } = await call("inners", text);
      const expected = JSON.parse(text).flat();
      assert.deepEqual(JSON.parse(out || err), expected, text);
    }
  });

  test("a list of lists for one argument is that argument, when it fits", async () => {
    for (const text of ["[[]]", "[[1,2],[3]]"]) {
      const { out } = await call("rows", text);
      assert.equal(out, `${text}\n`);
    }
  });

  test("enums may be given by name, wherever they stand, and are shown by name", async () => {
    for (const [method, text, expected] of [
      ["colors", '["RED"]', '["RED"]'],
      ["colors", '[["RED","BLUE"]]', '["RED","BLUE"]'],
      ["colors", "[1,0]", '["RED",0]'],
      ["mixes", '{"RED":["BLUE",1],"2":["RED"]}', '{"RED":["BLUE","RED"],"BLUE":["RED"]}'],
      ["echo", '{"color":"BLUE"}', '{"color":"BLUE"}'],
      ["shorten", '{"slug":"a","color":"RED","inners":[]}', '{"slug":"a","color":"RED","inners":[]}'],
    ] as const) {
      const { out, err } = await call(method, text);
      assert.equal(out || err, `${expected}\n`, text);
    }
  });

  test("several arguments: one list, one object by name, or one each", async () => {
    for (const argv of [["[2, 3]"], ['{"b":3,"a":2}'], ["2", "3"]]) {
      const { out } = await call("add", ...argv);
      assert.equal(out, "5\n");
    }
  });

  test("a declared exception is shown as such, with code 1", async () => {
    const { code, out, err } = await call("refuse");
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.equal(err, 'Refused {"message":"not today","limit":7}\n');
  });

  test("an exception of the server is shown with its type, with code 3", async () => {
    const { code, err } = await call("break_");
    assert.equal(code, 3);
    assert.match(err, /^TApplicationException INTERNAL_ERROR: broken\n$/);
  });

  test("a method that only the multiplexed name finds is called by it; its void result is null", async () => {
    const { code, out, err } = await call("vanish");
    assert.deepEqual([code, out, err], [0, "null\n", ""]);
  });

  test("a oneway call is sent, and said to have no answer", async () => {
    const { code, out, err } = await call("note", "hello there");
    assert.deepEqual([code, out, err], [0, "", "sent; a oneway method has no answer\n"]);
    assert.deepEqual(server.noted, ["hello there"]);
  });

  test("an unknown method is refused with the nearest name and all names", async () => {
    assert.match(
      await mistakeOf("ech"),
      /^Everything has no method ech; did you mean echo\? It has echo, inners, add/,
    );
    assert.match(await mistakeOf(), /^which method\? Everything has echo/);
    assert.match(await mistakeOf("constructor"), /^Everything has no method constructor; it has/);
  });

  for (const [argv, message] of [
    [["echo", '{"txt":"a"}'], "all has no field txt; did you mean text?"],
    [["echo", '{"inner":{"nme":"a"}}'], "all.inner has no field nme; did you mean name?"],
    [["echo", '{"text":5}'], "all.text: the number 5 was given; a text is expected"],
    [["echo", '{"text":{"a":1}}'], "all.text: an object was given; a text is expected"],
    [["echo", '{"yes":"perhaps"}'], 'all.yes: the text "perhaps" was given; true or false is expected'],
    [["echo", '{"small":300}'], "all.small: the number 300 was given; a byte, -128 to 127 is expected"],
    [
      ["echo", '{"short":40000}'],
      "all.short: the number 40000 was given; a whole number of 16 bits is expected",
    ],
    [
      ["echo", '{"middle":1.5}'],
      "all.middle: the number 1.5 was given; a whole number of 32 bits is expected",
    ],
    [
      ["echo", '{"large":9223372036854775808}'],
      "all.large: the number 9223372036854775808 was given; a whole number of 64 bits is expected",
    ],
    [
      ["echo", '{"bytes":"not base64!"}'],
      'all.bytes: the text "not base64!" was given; binary as base64 text is expected',
    ],
    [
      ["echo", '{"inner":5}'],
      "all.inner: the number 5 was given; a struct, written as an object, is expected",
    ],
    [["echo", '{"inner":[]}'], "all.inner: a list was given; a struct, written as an object, is expected"],
    [["echo", '{"inners":{"name":"a"}}'], "all.inners: an object was given; a list is expected"],
    [
      ["echo", '{"inners":[{"name":"a"},{"name":7}]}'],
      "all.inners[1].name: the number 7 was given; a text is expected",
    ],
    [["echo", '{"counts":[1]}'], "all.counts: a list was given; a map, written as an object, is expected"],
    [["echo", '{"byNumber":{"x":{}}}'], 'the text "x" was given; a whole number of 64 bits is expected'],
    [["echo"], "echo takes 1 (all); 0 given"],
    [["add", "[1]"], "add takes 2 (a, b); 1 given"],
    [["add", '{"a":1,"c":2}'], "add has no argument c; did you mean a?"],
    [
      ["colors", '["RDE"]'],
      'colors[0]: the text "RDE" was given; did you mean RED? Color has RED (1), BLUE (2) (the list was read as colors itself)',
    ],
    [["echo", '{"color":"GREEN"}'], 'all.color: the text "GREEN" was given; Color has RED (1), BLUE (2)'],
    [
      ["mixes", '{"GREY":[]}'],
      'mixes.GREY: the text "GREY" was given; did you mean RED? Color has RED (1), BLUE (2)',
    ],
    [["shorten", '{"inners":[]}'], "link.slug is missing; it is required"],
    [["shorten", '{"slgu":"a","inners":[]}'], "link has no field slgu; did you mean slug?"],
    [["shorten", '{"inners":[],"nothing":1}'], "link has no field nothing; it has slug, color, inners"],
    [
      ["shortenAll", '[{"slug":"a","iners":[]}]'],
      "links[0] has no field iners; did you mean inners? (the list was read as links itself)",
    ],
    [["shorten", '{"inners":[{"sise":1}]}'], "link.inners[0] has no field sise; did you mean size?"],
    [["shorten", '{"slug":null,"inners":[]}'], "link.slug is missing; it is required"],
    [["shortenAll", '[{"slug":"a","inners":[]},{"slug":"b"}]'], "links[1].inners is missing; it is required"],
    [
      ["echo", '[{"txt":"a"}]'],
      "all has no field txt; did you mean text? (the list was read as all arguments)",
    ],
    [["rows", '[[1],["x"]]'], 'rows[1][0]: the text "x" was given; a whole number of 32 bits is expected'],
    [["refuse", "1"], "refuse takes no arguments; 1 given"],
  ] as const) {
    test(`a mistake is named: ${message}`, async () => {
      assert.equal(await mistakeOf(...argv), message);
    });
  }

  test("broken JSON is told, not sent as a text", async () => {
    assert.match(await mistakeOf("echo", '{"text":'), /^all is no JSON: /);
  });

  test("a missing module is told with its path", async () => {
    const { code, err } = await runSluice(["call", "/nowhere/service.ts", "ping"]);
    assert.equal(code, 2);
    assert.match(err, /\/nowhere\/service\.ts.*no such file/);
  });

  test("a forgotten module is told with how to write it", async () => {
    const { code, err } = await runSluice(["call", "add", "1", "2"]);
    assert.equal(code, 2);
    assert.match(err, /\/add: there is no such file.*; write: sluice call MODULE METHOD \[JSON…\]\n$/);
  });

  test("a refused connection is named with the place, with code 3", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port: free } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const { code, err } = await runSluice(["call", "--port", String(free), module, "add", "1", "2"]);
    assert.equal(code, 3);
    assert.equal(
      err,
      `sluice: can't connect to 127.0.0.1:${free}: connection refused; is the server running there (--host, --port, --socket)?\n`,
    );
  });

  for (const [what, onConnection, expected] of [
    ["closes", "end", /closed the connection before it answered; whether the call took effect is unknown/],
    ["is silent", "nothing", /no answer from .* within 50 ms; whether the call took effect is unknown/],
    ["speaks something else", "garbage", /^sluice: what came from .* can't be read/],
    ["speaks HTTP", "http", /can't be read: that looks like HTTP: is it the admin port\?/],
    ["has no TLS", "tls", /closed the connection before TLS was spoken: .* Else call without --tls/],
  ] as const) {
    test(`a server that ${what} is told, with code 3`, async (t) => {
      const odd = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => {
          if (onConnection === "end" || onConnection === "tls") {
            socket.end();
          } else if (onConnection === "http") {
            socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
          } else if (onConnection === "garbage") {
            socket.write(Buffer.from("\0\0\0\x08HTTP/1.1"));
          }
        });
      }).listen(0, "127.0.0.1");
      t.after(() => odd.close());
      await once(odd, "listening");
      const oddPort = String((odd.address() as AddressInfo).port);
      const { code, err } = await runSluice([
        "call",
        ...(onConnection === "tls" ? ["--tls"] : []),
        ...(onConnection === "nothing" ? ["--timeout", "50ms"] : []),
        "--port",
        oddPort,
        module,
        "add",
        "1",
        "2",
      ]);
      assert.equal(code, 3);
      assert.match(err, expected);
    });
  }
});
