/** A strict reader of the text format of Prometheus, for assertions. */

/** One line of numbers. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All that is said of one metric. */
export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/y;

/** Reads an exposition. @throws Error when a line is malformed, repeated or outside its family */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: [string, string] | undefined;
  let current: { name: string; family: Family } | undefined;
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === "HELP") {
      help = [name, rest];
    } else if (word === "TYPE") {
      if (help?.[0] !== name || families.has(name)) throw new Error(`HELP and TYPE once each: ${line}`);
      current = { name, family: { help: help[1], type: rest, samples: [] } };
      families.set(name, current.family);
    } else {
      const sample = parseSample(line);
      const suffix = current === undefined ? "?" : sample.name.replace(current.name, "");
      const allowed = current?.family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!allowed.includes(suffix)) throw new Error(`outside its family: ${line}`);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      current!.family.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labelText = "", number] = sampleLine.exec(line) ?? [];
  if (name === undefined || number === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < labelText.length) {
    const pair = labelPair.exec(labelText);
    if (pair === null || pair[1]! in labels) throw new Error(`bad labels: ${line}`);
    labels[pair[1]!] = pair[2]!;
  }
  const value = Number(number.replace("Inf", "Infinity"));
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

/** The value of the one sample with these labels (others may stand beside them). */
export function sampleValue(
  families: Map<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
  const found = (family?.samples ?? []).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}
