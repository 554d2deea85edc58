import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SecretKey } from './crypto.ts';
import { HabeasError } from './errors.ts';

/**
 * The key that encrypts all other keys: `HABEAS_MASTER_KEY` (32 bytes in base64) or, without it, `<dataDir>/master.key`,
 * made at the first start with mode 0600. Servers that share a database need the same key.
 */
export function loadMasterKey(options: {
  readonly dataDir: string;
  readonly environment: NodeJS.ProcessEnv;
}): SecretKey {
  const given = options.environment.HABEAS_MASTER_KEY;
  if (given !== undefined && given !== '') return decode(given, 'the environment variable HABEAS_MASTER_KEY');
  const file = join(options.dataDir, 'master.key');
  mkdirSync(dirname(file), { recursive: true });
  try {
    // 'wx' makes two servers that start at the same time agree on one key: the second one gets EEXIST and reads it.
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
  }
  return decode(readFileSync(file, 'utf8').trim(), file);
}

function decode(text: string, where: string): SecretKey {
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) {
    throw new HabeasError(
      'MASTER_KEY_INVALID',
      `${where} holds ${key.length} bytes; a master key is 32 bytes in base64.`,
    );
  }
  return key;
}
