/**
 * A value in the queue of a message port. It can be handed from thread to thread without being looked at: copying is the
 * work of the thread that sent it and of the one that takes it out, and not of the main thread between them.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";

/**
 * Makes copies of a value, to be transferred.
 *
 * @throws {DOMException} `DataCloneError`, when structured clone can't copy it
 */
export function carry(value: unknown, count: number): MessagePort[] {
  const copies: MessagePort[] = [];
  try {
    for (let made = 0; made < count; made++) {
      const { port1, port2 } = new MessageChannel();
      copies.push(port2);
      port1.postMessage(value);
      port1.close();
    }
  } catch (error) {
    for (const copy of copies) copy.close();
    throw error;
  }
  return copies;
}

/** Takes the value out of a copy, which can be done once. */
export function takeOut(copy: MessagePort): unknown {
  const value = receiveMessageOnPort(copy)!.message as unknown;
  copy.close();
  return value;
}
