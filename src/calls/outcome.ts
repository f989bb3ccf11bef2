/**
 * What can become of a call. Every received call ends in exactly one of these; the first sticks.
 * The numbers travel through shared memory, so their order is fixed.
 */
export const outcomes = [
  /** The handler answered, declared exceptions included, and the reply was handed to the kernel. */
  "completed",
  /** The handler threw something undeclared, or returned what can't be encoded. */
  "failed",
  /** Never started: draining, overloaded, over a limit, unknown, or not decodable. */
  "rejected",
  /** Its deadline passed; unknown whether it took effect. */
  "expired",
  /** The reply could not be written: the caller was gone. */
  "orphaned",
  /** Ran to its end and no answer was owed. */
  "oneway",
  /** Had started when its worker died or the grace period ended. */
  "cut",
] as const;

/**
 * What became of a call. `completed`: answered, declared exceptions included, and the kernel has the reply. `failed`:
 * the handler threw something undeclared. `rejected`: never started. `expired`: its deadline passed. `orphaned`: its
 * caller was gone. `oneway`: ran, and no answer was owed. `cut`: its worker died, or the grace period ended.
 */
export type Outcome = (typeof outcomes)[number];

/** A count for each outcome. */
export type OutcomeCounts = Record<Outcome, number>;

/** Every outcome at zero. */
export function zeroOutcomes(): OutcomeCounts {
  return { completed: 0, failed: 0, rejected: 0, expired: 0, orphaned: 0, oneway: 0, cut: 0 };
}

/** TApplicationException's `type` on the wire. */
export const ApplicationExceptionType = {
  UNKNOWN: 0,
  UNKNOWN_METHOD: 1,
  INVALID_MESSAGE_TYPE: 2,
  WRONG_METHOD_NAME: 3,
  BAD_SEQUENCE_ID: 4,
  MISSING_RESULT: 5,
  INTERNAL_ERROR: 6,
  PROTOCOL_ERROR: 7,
  INVALID_TRANSFORM: 8,
  INVALID_PROTOCOL: 9,
  UNSUPPORTED_CLIENT_TYPE: 10,
} as const;

export type ApplicationExceptionTypeValue =
  (typeof ApplicationExceptionType)[keyof typeof ApplicationExceptionType];
