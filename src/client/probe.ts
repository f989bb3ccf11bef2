/**
 * The question whether a server is there: fb303's `getStatus`. A server without fb303 answers that it does not know the
 * method, which says as much.
 */
import { MessageType } from "../wire/message.ts";
import { type ProtocolReader, type ProtocolWriter, Type } from "../wire/protocol.ts";
import { ClientCall } from "./call.ts";
import type { Answer, CallCodec } from "./call-codec.ts";
import type { ClientMethod } from "./method-table.ts";

interface Sender {
  readonly pClass: new () => ProtocolWriter;
  seqid(): number;
}
interface Receiver {
  readonly _reqs: Readonly<Record<number, (error: unknown, result: unknown) => void>>;
}

/** fb303: a server that starts, stops or has stopped takes no calls; one that warns does. */
const unfit: readonly number[] = [0, 1, 3, 4];

const getStatus: ClientMethod = {
  name: "getStatus",
  wireName: "getStatus",
  send: function send(this: unknown): void {
    const sender = this as Sender;
    const output = new sender.pClass();
    output.writeMessageBegin("getStatus", MessageType.CALL, sender.seqid());
    output.writeStructBegin("getStatus_args");
    output.writeFieldStop();
    output.writeStructEnd();
    output.writeMessageEnd();
  },
  receive: function receive(this: unknown, input: unknown, _type: number, seqid: number): void {
    const reader = input as ProtocolReader;
    let status: number | undefined;
    reader.readStructBegin();
    for (let field = reader.readFieldBegin(); field.ftype !== Type.STOP; field = reader.readFieldBegin()) {
      if (field.fid === 0 && field.ftype === Type.I32) status = reader.readI32();
      else reader.skip(field.ftype);
      reader.readFieldEnd();
    }
    reader.readStructEnd();
    (this as Receiver)._reqs[seqid]!(null, status);
  },
  arity: 0,
  idempotent: false,
  timeoutMs: 0,
};

/** A probe as a call. The caller watches its time. */
export function createProbe(codec: CallCodec, seqid: number, nowMs: number, timeoutMs: number): ClientCall {
  const nobody = (): void => {};
  const timing = { timeoutMs, startedMs: nowMs };
  return new ClientCall(
    getStatus,
    seqid,
    codec.encode(getStatus, [], seqid),
    timing,
    undefined,
    nobody,
    nobody,
  );
}

export function isProbe(call: ClientCall): boolean {
  return call.method === getStatus;
}

/** Whether a server that answers so takes calls. */
export function isFit(answer: Answer): boolean {
  return answer.kind !== "result" || !unfit.includes(answer.value as number);
}
