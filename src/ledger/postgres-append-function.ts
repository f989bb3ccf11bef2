/**
 * The function in PostgreSQL that appends a group of posts: with it a group is one message to the server and one
 * answer, and nobody who stands still between two messages can keep the chain's head from the others.
 */

/**
 * It carries its revision in its name. Never change one that was released: servers of two versions may run side by
 * side, and each brings its own.
 */
export const appendFunction = "sluice_append_1";

/** How PostgreSQL tells it from others of its name. */
export const appendSignature: string = `${appendFunction}(integer,text,bigint,integer[],text[],integer[],integer[],integer[],bigint[],text[],text[])`;

/**
 * The last group of each server, for one whose answer was lost: the places before its first new entry and of its last.
 * It is no part of the tables' version, since servers that do not know it may go on beside those that do.
 */
export const appendsTable = `
  CREATE TABLE sluice_appends (
    replica text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    before bigint NOT NULL,
    after bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  ) WITH (fillfactor = 50)`;

/**
 * The rules of `book.ts`, over the group's entries in their order. `requests` has the number of the request that an
 * entry belongs to: of a request all entries are appended or none. `debits` and `credits` are places in `accounts`,
 * `firsts` the place of the group's first entry with the same id; places count from 1.
 *
 * It gives JSON, whose size does not depend on how many new entries there are:
 *
 * - `{"state": "version", "version": …}`: the tables are another program's, nothing was done;
 * - `{"state": "carried out", "before": …, "after": …}`: the group with this number was appended before;
 * - `{"state": "appended", …}` else. `known`, `knownSeqs` and `knownCounts` are runs of entries that had a place,
 *   `faults` and `faultKinds` the first entry of each request that was refused.
 *
 * The body is compared with what the database has: every change of it makes the function anew.
 */
export const appendBody = `
DECLARE
  start bigint;
  head bigint;
  head_hash text;
  tables_version integer;
  seen record;
  balances bigint[];
  seqs bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(ids)]);
  hashes text[] := array_fill(NULL::text, ARRAY[cardinality(ids)]);
  known_seqs bigint[] := seqs;
  known_same boolean[] := array_fill(NULL::boolean, ARRAY[cardinality(ids)]);
  holders integer[] := array_fill(NULL::integer, ARRAY[cardinality(ids)]);
  request integer := 0;
  refused integer := 0;
  first integer;
  mark_hash text;
  known_seq bigint;
  same boolean;
  fault text;
  run_at integer[] := '{}';
  run_seqs bigint[] := '{}';
  run_counts integer[] := '{}';
  runs integer := 0;
  mark_runs integer;
  fault_at integer[] := '{}';
  fault_kinds text[] := '{}';
BEGIN
  -- From here to the commit nobody else appends. What is read below is newer than what others committed before.
  SELECT l.version, l.seq, l.hash INTO tables_version, start, head_hash FROM sluice_ledger l WHERE l.one FOR UPDATE;
  IF tables_version IS DISTINCT FROM expected_version THEN
    RETURN json_build_object('state', 'version', 'version', tables_version);
  END IF;
  -- A message that was delayed must not be carried out behind a later one.
  SELECT a.before, a.after INTO seen FROM sluice_appends a
    WHERE a.replica = of_replica AND a.number >= group_number;
  IF FOUND THEN
    RETURN json_build_object('state', 'carried out', 'before', seen.before, 'after', seen.after);
  END IF;
  head := start;
  FOR seen IN
    SELECT g.at, e.seq, e.debit = accounts[g.debit] AND e.credit = accounts[g.credit] AND e.amount = g.amount
      AND e.memo IS NOT DISTINCT FROM g.memo AS same
    FROM unnest(ids, debits, credits, amounts, memos) WITH ORDINALITY AS g (id, debit, credit, amount, memo, at)
    JOIN sluice_entries e ON e.id = g.id
  LOOP
    known_seqs[seen.at] := seen.seq;
    known_same[seen.at] := seen.same;
  END LOOP;
  SELECT array_agg(coalesce(b.balance, 0) ORDER BY g.at) INTO balances
    FROM unnest(accounts) WITH ORDINALITY AS g (account, at)
    LEFT JOIN sluice_balances b ON b.account = g.account;

  FOR i IN 1 .. cardinality(ids) LOOP
    CONTINUE WHEN requests[i] = refused;
    IF requests[i] <> request THEN
      request := requests[i];
      first := i;
      mark_hash := head_hash;
      mark_runs := runs;
    END IF;
    fault := NULL;
    known_seq := known_seqs[i];
    same := known_same[i];
    IF known_seq IS NULL AND holders[firsts[i]] IS NOT NULL THEN
      known_seq := seqs[holders[firsts[i]]];
      same := debits[i] = debits[holders[firsts[i]]] AND credits[i] = credits[holders[firsts[i]]]
        AND amounts[i] = amounts[holders[firsts[i]]] AND memos[i] IS NOT DISTINCT FROM memos[holders[firsts[i]]];
    END IF;
    IF known_seq IS NOT NULL THEN
      IF NOT same THEN
        fault := 'content';
      ELSIF runs > mark_runs AND run_at[runs] + run_counts[runs] = i AND run_seqs[runs] + run_counts[runs] = known_seq THEN
        run_counts[runs] := run_counts[runs] + 1;
      ELSE
        runs := runs + 1;
        run_at[runs] := i;
        run_seqs[runs] := known_seq;
        run_counts[runs] := 1;
      END IF;
    ELSIF balances[debits[i]] < amounts[i] - 9223372036854775807 - 1 THEN
      fault := 'debit';
    ELSIF balances[credits[i]] > 9223372036854775807 - amounts[i] THEN
      fault := 'credit';
    ELSE
      head := head + 1;
      head_hash := encode(sha256(convert_to(concat(
        '["', head_hash, '",', head, ',', to_json(ids[i]), ',', to_json(accounts[debits[i]]), ',',
        to_json(accounts[credits[i]]), ',"', amounts[i], '",', coalesce(to_json(memos[i])::text, 'null'), ']'
      ), 'UTF8')), 'hex');
      seqs[i] := head;
      hashes[i] := head_hash;
      holders[firsts[i]] := i;
      balances[debits[i]] := balances[debits[i]] - amounts[i];
      balances[credits[i]] := balances[credits[i]] + amounts[i];
    END IF;
    IF fault IS NOT NULL THEN
      refused := request;
      fault_at := fault_at || i;
      fault_kinds := fault_kinds || fault;
      head_hash := mark_hash;
      runs := mark_runs;
      FOR j IN first .. i - 1 LOOP
        IF seqs[j] IS NOT NULL THEN
          head := head - 1;
          seqs[j] := NULL;
          holders[firsts[j]] := NULL;
          balances[debits[j]] := balances[debits[j]] + amounts[j];
          balances[credits[j]] := balances[credits[j]] - amounts[j];
        END IF;
      END LOOP;
    END IF;
  END LOOP;

  IF head > start THEN
    INSERT INTO sluice_entries (seq, id, debit, credit, amount, memo, hash)
      SELECT g.seq, g.id, accounts[g.debit], accounts[g.credit], g.amount, g.memo, g.hash
      FROM unnest(seqs, ids, debits, credits, amounts, memos, hashes) AS g (seq, id, debit, credit, amount, memo, hash)
      WHERE g.seq IS NOT NULL;
    INSERT INTO sluice_balances (account, balance)
      SELECT accounts[moved.at], balances[moved.at] FROM (
        SELECT g.debit AS at FROM unnest(debits, seqs) AS g (debit, seq) WHERE g.seq IS NOT NULL
        UNION SELECT g.credit FROM unnest(credits, seqs) AS g (credit, seq) WHERE g.seq IS NOT NULL
      ) moved
      ON CONFLICT (account) DO UPDATE SET balance = excluded.balance;
    INSERT INTO sluice_appends (replica, number, before, after) VALUES (of_replica, group_number, start, head)
      ON CONFLICT (replica) DO UPDATE
      SET number = excluded.number, before = excluded.before, after = excluded.after, at = excluded.at;
    UPDATE sluice_ledger l SET seq = head, hash = head_hash WHERE l.one;
  END IF;
  RETURN json_build_object('state', 'appended', 'before', start, 'after', head,
    'known', to_json(run_at[1:runs]), 'knownSeqs', to_json(run_seqs[1:runs]), 'knownCounts', to_json(run_counts[1:runs]),
    'faults', to_json(fault_at), 'faultKinds', to_json(fault_kinds));
END`;

/**
 * Its plans are made once per connection, perhaps while the tables are empty, and must be right when they have grown:
 * so only those that look rows up by their keys are allowed. What is not allowed is reckoned as dear, and what is dear
 * would be compiled at each call.
 */
export const createAppendFunction: string = `
  CREATE OR REPLACE FUNCTION ${appendFunction}(
    expected_version integer, of_replica text, group_number bigint, requests integer[], ids text[], firsts integer[],
    debits integer[], credits integer[], amounts bigint[], memos text[], accounts text[]
  ) RETURNS json LANGUAGE plpgsql
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET jit = off
  AS $append$${appendBody}$append$`;
