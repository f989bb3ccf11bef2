/** Why a WebSocket is closed, as its peer is told: codes of RFC 6455, section 7.4.1. */
import type { CloseReason } from "./connection-state.ts";

export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  /** A kind of data that is not served: text that is no JSON protocol. */
  UNSUPPORTED_DATA: 1003,
  /** Data that is not what it should be: no Thrift message. */
  INVALID_PAYLOAD: 1007,
  POLICY_VIOLATION: 1008,
} as const;

/** What each reason is told as. A message beyond `maxFrameSize` is closed by ws itself, with 1009. */
export const closeCodes: Readonly<Record<CloseReason, number>> = {
  peer: CloseCode.NORMAL,
  drain: CloseCode.GOING_AWAY,
  malformed: CloseCode.INVALID_PAYLOAD,
  timeout: CloseCode.POLICY_VIOLATION,
  memory: CloseCode.POLICY_VIOLATION,
  error: CloseCode.GOING_AWAY,
};
