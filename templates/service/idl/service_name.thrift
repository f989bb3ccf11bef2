/**
 * What ServiceName can do. After a change here: npm run gen. service.ts then has to follow.
 */

/** Why a division can't be made. */
exception DivisionError {
  1: string message,
}

service ServiceName {
  i32 add(1: i32 a, 2: i32 b),

  double divide(1: double dividend, 2: double divisor) throws (1: DivisionError impossible),
}
