/** Writes exceptions of our own, with their type on the wire, which the package's class leaves out. */
import { MessageType } from "./message.ts";
import { type ProtocolWriter, Type } from "./protocol.ts";

/**
 * Writes a whole TApplicationException message.
 *
 * @param name the method's name as the caller gave it, without a service
 * @param type `TApplicationException`'s type number
 */
export function writeException(
  writer: ProtocolWriter,
  name: string,
  seqid: number,
  type: number,
  message: string,
): void {
  writer.writeMessageBegin(name, MessageType.EXCEPTION, seqid);
  writer.writeStructBegin("TApplicationException");
  writer.writeFieldBegin("message", Type.STRING, 1);
  writer.writeString(message);
  writer.writeFieldEnd();
  writer.writeFieldBegin("type", Type.I32, 2);
  writer.writeI32(type);
  writer.writeFieldEnd();
  writer.writeFieldStop();
  writer.writeStructEnd();
  writer.writeMessageEnd();
}
