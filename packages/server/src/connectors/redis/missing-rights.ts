import { randomUUID } from 'node:crypto';
import { ErrorReply } from '@redis/client';
import { HabeasError } from '../../foundation/index.ts';
import { bytesOf } from '../byte-text.ts';
import type { RedisCollection } from './compile-redis.ts';
import type { KeyPattern } from './key-pattern.ts';
import type { RedisClient } from './redis-client.ts';

/** No stream has gone so far. */
const LAST_ENTRY = '18446744073709551615-18446744073709551615';

/**
 * What an erasure will have to do and this user's ACL does not let it, one sentence for each collection. Every command is tried on a key or
 * an element that is not there, so that it changes nothing.
 */
export async function missingRights(
  client: RedisClient,
  collections: readonly RedisCollection[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const collection of collections) {
    const missing = new Set<string>();
    for (const pattern of collection.keys)
      for (const command of commandsFor(collection, pattern))
        if (await isDenied(client, command, signal)) missing.add(String(command[0]));
    if (missing.size > 0)
      problems.push(
        `This user may not run ${[...missing].join(', ')} on the keys of "${collection.name}": allow it in the ACL, for these keys.`,
      );
  }
  return problems;
}

type Command = readonly (string | Buffer)[];

function commandsFor({ within, keep }: RedisCollection, pattern: KeyPattern): readonly Command[] {
  const nobody = `habeas-check-${randomUUID()}`;
  const key = bytesOf(
    pattern.tokens.map((token) => (token.kind === 'literal' ? token.text : nobody)).join(''),
  );
  // A key that is named in full may be there: as a whole it is left alone.
  const isOpen = pattern.tokens.some(({ kind }) => kind !== 'literal');
  const looks: Record<RedisCollection['within']['kind'], readonly Command[]> = {
    key: [['EXISTS', key]],
    field: [['HEXISTS', key, nobody]],
    member: [
      ['SISMEMBER', key, nobody],
      ['ZSCORE', key, nobody],
      ['LPOS', key, nobody],
    ],
    entry: [['XRANGE', key, LAST_ENTRY, LAST_ENTRY]],
  };
  const removes: typeof looks = {
    key: isOpen ? [['UNLINK', key]] : [],
    field: [['HDEL', key, nobody]],
    member: [
      ['SREM', key, nobody],
      ['ZREM', key, nobody],
      ['LREM', key, '0', nobody],
    ],
    entry: [['XDEL', key, LAST_ENTRY]],
  };
  return [
    ['SCAN', '0', 'COUNT', '1'],
    ['TYPE', key],
    ...looks[within.kind],
    ...(keep === undefined ? removes[within.kind] : []),
  ];
}

/** The ACL is asked first; a key of another type is an answer like any other. */
async function isDenied(client: RedisClient, command: Command, signal: AbortSignal): Promise<boolean> {
  try {
    await client.ask(command, signal);
    return false;
  } catch (error) {
    const cause = error instanceof HabeasError ? error.cause : undefined;
    if (!(cause instanceof ErrorReply)) throw error;
    if (cause.message.startsWith('NOPERM')) return true;
    if (cause.message.startsWith('WRONGTYPE')) return false;
    throw error;
  }
}
