/**
 * Writes Thrift's JSON protocol.
 *
 * It is our own because the thrift package's TJSONProtocol leaves control characters in strings unescaped, writes
 * NaN and the infinities as bare words, which is no JSON and which C++ and Python refuse, takes any value for any
 * type, and can't write maps whose keys came as strings of bools.
 */
import { BufferWriter } from "./buffer-writer.ts";
import { type Int64Value, toBigInt } from "./int64.ts";
import { jsonDouble, jsonString, jsonTypeName } from "./json-text.ts";
import type { ProtocolWriter } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";
import { checkedBool, checkedDouble, checkedInteger, checkedSize, checkedUuid } from "./value-checks.ts";

const VERSION = 1;

/** What separates values from each other: nothing in a field, commas in a list, colons and commas in a map. */
type Place = "field" | "list" | "map" | "struct";

/** Writes Thrift's JSON protocol, version 1, without white space. */
export class JsonWriter extends BufferWriter implements ProtocolWriter {
  /** Where the values of each level stand, and how many have begun there; keys and values of a map singly. */
  readonly #places: Place[] = ["field"];
  readonly #begun: number[] = [0];
  #level = 0;

  override reset(position?: number): void {
    super.reset(position);
    this.#level = 0;
  }

  writeMessageBegin(name: string, type: number, seqid: number): void {
    this.#put(`[${VERSION},${jsonString(name)},${type},${checkedInteger(seqid, 32, "writeMessageBegin")},`);
  }

  override writeMessageEnd(): void {
    this.#put("]");
  }

  override writeStructBegin(name?: string): void {
    this.#put(`${this.#separator()}{`);
    super.writeStructBegin(name);
    this.#enter("struct");
  }

  override writeStructEnd(): void {
    this.#put("}");
    this.#level--;
    super.writeStructEnd();
  }

  writeFieldBegin(_name: string, type: number, id: number): void {
    const comma = this.#begun[this.#level]!++ > 0 ? "," : "";
    this.#put(`${comma}"${id}":{"${nameOf(type)}":`);
    this.#enter("field");
  }

  override writeFieldEnd(): void {
    this.#put("}");
    this.#level--;
  }

  writeFieldStop(): void {}

  writeMapBegin(keyType: number, valueType: number, size: number): void {
    const count = checkedSize(size, "writeMapBegin");
    this.#put(`${this.#separator()}["${nameOf(keyType)}","${nameOf(valueType)}",${count},{`);
    this.enterContainer(2 * count);
    this.#enter("map");
  }

  override writeMapEnd(): void {
    super.writeMapEnd();
    this.#put("}]");
    this.#level--;
  }

  writeListBegin(elementType: number, size: number): void {
    this.#beginList(elementType, checkedSize(size, "writeListBegin"));
  }

  override writeListEnd(): void {
    super.writeListEnd();
    this.#endList();
  }

  writeSetBegin(elementType: number, size: number): void {
    this.#beginList(elementType, checkedSize(size, "writeSetBegin"));
  }

  override writeSetEnd(): void {
    super.writeSetEnd();
    this.#endList();
  }

  writeBool(value: unknown): void {
    this.#number(checkedBool(value, "writeBool") ? "1" : "0");
  }

  writeByte(value: number | string): void {
    this.#number(String(checkedInteger(value, 8, "writeByte")));
  }

  writeI16(value: number | string): void {
    this.#number(String(checkedInteger(value, 16, "writeI16")));
  }

  writeI32(value: number | string): void {
    this.#number(String(checkedInteger(value, 32, "writeI32")));
  }

  writeI64(value: Int64Value): void {
    this.#number(Number.isSafeInteger(value) ? String(value) : toBigInt(value, "writeI64").toString());
  }

  writeDouble(value: number | string): void {
    const number = typeof value === "number" ? value : checkedDouble(value, "writeDouble");
    this.#number(jsonDouble(number));
  }

  writeString(value: string | Uint8Array): void {
    const text =
      typeof value === "string" ? value : Buffer.from(this.bytesOf(value, "writeString")).toString("utf8");
    this.#value(jsonString(text));
  }

  writeBinary(value: string | Uint8Array): void {
    const bytes =
      typeof value === "string"
        ? Buffer.from(value, "latin1")
        : Buffer.from(this.bytesOf(value, "writeBinary"));
    this.#value(`"${bytes.toString("base64")}"`);
  }

  override writeUuid(value: string): void {
    checkedUuid(value, "writeUuid");
    this.#value(`"${value}"`);
  }

  #beginList(elementType: number, count: number): void {
    this.#put(`${this.#separator()}["${nameOf(elementType)}",${count}`);
    this.enterContainer(count);
    this.#enter("list");
  }

  #endList(): void {
    this.#put("]");
    this.#level--;
  }

  /** A map's keys are strings in JSON, whatever their type. */
  #number(text: string): void {
    const isKey = this.#places[this.#level] === "map" && this.#begun[this.#level]! % 2 === 0;
    this.#value(isKey && !text.startsWith('"') ? `"${text}"` : text);
  }

  #value(text: string): void {
    this.#put(this.#separator() + text);
    this.written++;
  }

  /** What stands before the value that begins here. */
  #separator(): string {
    const place = this.#places[this.#level]!;
    const begun = this.#begun[this.#level]!++;
    // A list's elements stand behind its count.
    if (place === "list") return ",";
    if (place !== "map" || begun === 0) return "";
    return begun % 2 === 1 ? ":" : ",";
  }

  #enter(place: Place): void {
    const level = ++this.#level;
    this.#places[level] = place;
    this.#begun[level] = 0;
  }

  #put(text: string): void {
    const at = this.room(this.mostBytes(text));
    this.position = at;
    this.putText(text);
  }
}

function nameOf(type: number): string {
  const name = jsonTypeName(type);
  if (name === undefined)
    throw new ProtocolError("invalid-data", `there is no type ${type} in the JSON protocol`);
  return name;
}
