/** One fuzzed input after the other, each determined by the seed and its number. */
import { Random } from "../oracle/random.ts";
import { anyCall, anyForm, type Form, type ValidCall } from "./messages.ts";
import { mutate } from "./mutate.ts";
import { framedBinaryCalls } from "./reply-check.ts";
import { type Outcome, ServerInProcess } from "./server-in-process.ts";

/** What a run came to. */
export interface FuzzResult {
  readonly messages: number;
  readonly replies: number;
  readonly closed: Readonly<Record<string, number>>;
  readonly longestMs: number;
  /** The message that took it. */
  readonly longestAt: number;
}

/** A message that the server did not take as it should. The text has all that it takes to see it again. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly bytes: Buffer;

  constructor(why: string, bytes: Buffer, cause?: unknown) {
    super(`${why}: ${bytes.toString("hex")}`, { cause });
    this.bytes = bytes;
  }
}

/** Longer than this is a hang, in ms. */
const hangMs = 1000;
const poolSize = 64;
/** As in `server-in-process.ts`. */
const maxFrameSizeBytes = 1 << 20;
const accountEvery = 4096;

interface Pool {
  readonly form: Form;
  readonly calls: readonly ValidCall[];
}

/** Of one seed: message `number` is the same in every run. */
export class Fuzzer {
  readonly #seed: number;
  readonly #server = new ServerInProcess();
  #pools: readonly Pool[] = [];
  #epoch = -1;
  #replies = 0;
  #messages = 0;
  #longestMs = 0;
  #longestAt = 0;
  #number = 0;
  readonly #closed: Record<string, number> = {};

  constructor(seed: number) {
    this.#seed = seed;
  }

  get result(): FuzzResult {
    return {
      messages: this.#messages,
      replies: this.#replies,
      closed: this.#closed,
      longestMs: this.#longestMs,
      longestAt: this.#longestAt,
    };
  }

  /** @throws {Finding} */
  run(number: number): void {
    this.#number = number;
    this.#refresh(number >>> 12);
    const random = new Random(this.#seed * 1_000_003 + number);
    const { form, calls } = random.pick(this.#pools);
    const call = random.pick(calls);
    if (random.chance(0.1)) this.#valid(random, form, calls);
    else this.#mutated(random, form, call, random.pick(calls));
    if (++this.#messages % accountEvery === 0) this.#server.checkAccount();
  }

  /** Bytes as they are, without a seed. @throws {Finding} */
  replay(bytes: Buffer): void {
    const random = new Random(0);
    this.#observe(bytes, (copy) => this.#server.connection([copy], false));
    this.#observe(bytes, (copy) => this.#server.connection(split(random, copy), true));
    this.#observe(bytes, (copy) => this.#server.single(copy));
    this.#server.checkAccount();
  }

  /** New valid messages every few thousand. */
  #refresh(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    const random = new Random(this.#seed * 7919 + epoch);
    this.#pools = Array.from({ length: poolSize }, () => {
      const form = anyForm(random);
      return { form, calls: Array.from({ length: 16 }, () => anyCall(random, form)) };
    });
  }

  /** Valid calls are answered, all of them and nothing else, however their bytes come. */
  #valid(random: Random, form: Form, calls: readonly ValidCall[]): void {
    const several = Array.from({ length: random.int(1, 4) }, () => random.pick(calls));
    const bytes = Buffer.concat(several.map((call) => call.bytes));
    const answered = several.filter((call) => call.answered).length;
    const { replies, malformed, waiting } = this.#observe(bytes, (copy) =>
      this.#server.connection(split(random, copy), true),
    );
    if (replies.length === answered && malformed === undefined && waiting === 0) return;
    throw new Finding(
      `${answered} valid ${JSON.stringify(form)} calls, ${replies.length} replies, ${malformed}, ${waiting} bytes wait`,
      bytes,
    );
  }

  #mutated(random: Random, form: Form, call: ValidCall, other: ValidCall): void {
    const mutated = mutate(random, call.bytes, other.bytes);
    const bytes = random.chance(0.2) ? Buffer.concat([mutated, other.bytes]) : mutated;
    if (random.chance(0.1)) {
      this.#observe(bytes, (copy) => this.#server.single(copy));
      return;
    }
    const whole = this.#observe(bytes, (copy) => this.#server.connection([copy], false));
    if (form.transport === "framed" && form.protocol === "binary") this.#checkCount(bytes, whole);
    if (random.chance(0.25)) this.#checkPieces(random, bytes, whole);
  }

  /** By an account of its own, so many calls were in it. */
  #checkCount(bytes: Buffer, { cut }: Outcome): void {
    // Its first bytes may be those of another transport now.
    if (bytes.length < 6 || (bytes[4] !== 0x80 && bytes[4] !== 0)) return;
    if (bytes[0]! >= 0x10) return;
    const expected = framedBinaryCalls(bytes, maxFrameSizeBytes);
    if (cut !== expected) throw new Finding(`${expected} calls by their frames, ${cut} were taken`, bytes);
  }

  /** In which pieces bytes come makes no difference. */
  #checkPieces(random: Random, bytes: Buffer, whole: Outcome): void {
    const inPieces = this.#observe(bytes, (copy) => this.#server.connection(split(random, copy), true));
    const same =
      whole.replies.length === inPieces.replies.length &&
      whole.cut === inPieces.cut &&
      (whole.malformed === undefined) === (inPieces.malformed === undefined) &&
      whole.waiting === inPieces.waiting &&
      whole.replies.every((reply, at) => reply.equals(inPieces.replies[at]!));
    if (same) return;
    const told = [whole, inPieces].map(({ replies, cut, malformed, waiting }) =>
      JSON.stringify({ replies: replies.length, cut, malformed, waiting }),
    );
    throw new Finding(`in one piece ${told[0]}, in several ${told[1]}`, bytes);
  }

  #observe(bytes: Buffer, use: (copy: Buffer) => Outcome): Outcome {
    const fromMs = performance.now();
    let outcome: Outcome;
    try {
      outcome = use(Buffer.from(bytes));
    } catch (error) {
      throw new Finding(`${error instanceof Error ? error.stack : error}`, bytes, error);
    }
    const tookMs = performance.now() - fromMs;
    if (tookMs > hangMs) throw new Finding(`took ${Math.round(tookMs)} ms`, bytes);
    if (outcome.replies.length > outcome.cut) throw new Finding("more replies than calls", bytes);
    if (tookMs > this.#longestMs) {
      this.#longestMs = tookMs;
      this.#longestAt = this.#number;
    }
    this.#replies += outcome.replies.length;
    const end = outcome.malformed ?? (outcome.waiting > 0 ? "incomplete" : "whole");
    this.#closed[end] = (this.#closed[end] ?? 0) + 1;
    return outcome;
  }
}

/** The bytes in pieces of random sizes, each a buffer of its own. */
function split(random: Random, bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const most = random.pick([1, 3, 17, 1000]);
  for (let at = 0; at < bytes.length; ) {
    const size = random.int(1, most);
    parts.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return parts;
}
