import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { TextRow } from '../sql/index.ts';
import { deleteEach, type EachStatement, type SqliteValue } from './delete-keys.ts';
import { addFunctions } from './sqlite-functions.ts';
import type { SqliteAnswer, SqliteFailure, SqliteQuestion } from './sqlite-messages.ts';

/** Most memory for pages of the file, and as much for those of temporary tables. */
const CACHE_KIBIBYTES = 32 * 1024;

/**
 * One SQLite file on a thread of its own: node:sqlite works synchronously, and a long statement must not keep the server from everything
 * else. Answers one question after the other.
 */
const database = new DatabaseSync(workerData.address, { timeout: workerData.patienceMilliseconds });
// Off unless a program asks for it, and then rows would go and leave others that point at nothing.
database.exec('pragma foreign_keys = on; pragma secure_delete = on; pragma trusted_schema = off');
// With SQLite's own 2 MB, pages that an erasure changes again and again are written again and again.
database.exec(`pragma main.cache_size = -${CACHE_KIBIBYTES}; pragma temp.cache_size = -${CACHE_KIBIBYTES}`);
const settings = new Map<string, string>();
addFunctions(database, settings);
const streams = new Map<number, Iterator<unknown>>();
/** Statements since the last script by their texts: whoever reads or deletes piece by piece comes again and again with one. */
const prepared = new Map<string, StatementSync>();
const MOST_PREPARED = 64;
/** A statement keeps the values that it was last run with. Those with longer ones, such as a list of keys, are prepared each time. */
const MOST_KEPT_CHARACTERS = 1_000;

parentPort?.on('message', (question: SqliteQuestion) => {
  parentPort?.postMessage(answer(question));
});

function answer(question: SqliteQuestion): SqliteAnswer {
  const { id } = question;
  try {
    return { id, ...act(question) };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

/** Whether a transaction was begun, and neither committed nor rolled back by whoever began it. */
let isBegun = false;
/** SQLite's code of a statement whose transaction was rolled back (SQLITE_ABORT_ROLLBACK). */
const ROLLED_BACK = 516;

/**
 * A full disk, an error of reading, or a trigger's `raise(rollback)` ends the whole transaction. What was handed over before that was known would then be
 * transactions of its own: it is refused until somebody says `rollback`.
 */
function refuseWithoutTransaction(): void {
  if (isBegun && !database.isTransaction)
    throw Object.assign(new Error('the transaction was rolled back'), { errcode: ROLLED_BACK });
}

function runScript(statements: readonly string[]): void {
  for (const statement of statements) {
    if (statement === 'rollback') {
      isBegun = false;
      if (database.isTransaction) database.exec(statement);
      continue;
    }
    refuseWithoutTransaction();
    database.exec(statement);
    if (statement.startsWith('begin')) isBegun = true;
    if (statement === 'commit') isBegun = false;
  }
}

function act(question: SqliteQuestion): Omit<SqliteAnswer, 'id'> {
  if (question.kind !== 'script' && question.kind !== 'close') refuseWithoutTransaction();
  switch (question.kind) {
    case 'rows':
      return { rows: asRows(statementOf(question).all(named(question.values))) };
    case 'change':
      return { changes: Number(statementOf(question).run(named(question.values)).changes) };
    case 'delete':
      return { changes: deleteEach(preparedOnce, question.from, question.parts) };
    case 'each':
      return { changes: changeEach(question.statements) };
    case 'put':
      settings.set(question.name, question.value);
      return {};
    case 'script':
      prepared.clear();
      runScript(question.statements);
      return {};
    case 'open':
      streams.set(question.id, prepare(question.text).iterate());
      return {};
    case 'next': {
      const stream = streams.get(question.stream);
      const rows: unknown[] = [];
      for (let bytes = 0; rows.length < question.most && bytes < question.bytes; ) {
        const next = stream?.next();
        if (next === undefined || next.done === true) break;
        rows.push(next.value);
        for (const value of next.value as readonly (string | null)[]) bytes += value?.length ?? 1;
      }
      return { rows: asRows(rows) };
    }
    case 'close':
      streams.get(question.stream)?.return?.();
      streams.delete(question.stream);
      return {};
  }
}

function changeEach(statements: readonly EachStatement[]): number {
  let changes = 0;
  for (const { text, rows } of statements)
    for (const values of rows) changes += Number(statementOf({ text, values }).run(...values).changes);
  return changes;
}

function statementOf({
  text,
  values,
}: {
  readonly text: string;
  readonly values: readonly SqliteValue[];
}): StatementSync {
  const isLong = values.some((value) => typeof value === 'string' && value.length > MOST_KEPT_CHARACTERS);
  return isLong ? prepare(text) : preparedOnce(text);
}

/** Not for a stream: it would be the statement of whoever asks the same meanwhile. */
function preparedOnce(text: string): StatementSync {
  const known = prepared.get(text);
  if (known !== undefined) return known;
  if (prepared.size === MOST_PREPARED) prepared.clear();
  const statement = prepare(text);
  prepared.set(text, statement);
  return statement;
}

function prepare(text: string): StatementSync {
  const statement = database.prepare(text);
  statement.setReturnArrays(true);
  return statement;
}

function named(values: readonly (string | number | null)[]): Record<string, string | number | null> {
  return Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]));
}

/** Messages of SQLite name tables, columns and constraints; values are in none that is passed on. */
function failureOf(error: unknown): SqliteFailure {
  const { errcode, message = '' } = error as { readonly errcode?: number; readonly message?: string };
  const constraint = /^\w+(?: \w+)? constraint failed(?:: (.*))?$/.exec(message);
  return {
    code: typeof errcode === 'number' ? errcode : 0,
    constraint: constraint?.[1],
    isForeignKey: message.startsWith('FOREIGN KEY'),
    isSchema: /^no such (table|column)/.test(message),
  };
}

/** Every statement prints its values as text, and rows are arrays; the types of node:sqlite know neither. */
function asRows(rows: readonly unknown[]): readonly TextRow[] {
  return rows as readonly TextRow[];
}
