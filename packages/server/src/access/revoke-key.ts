import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import { untilForgotten } from './authenticate.ts';
import { KEY_COLUMNS, keyView, scopesOf } from './list-keys.ts';
import { lockOrganization } from './organization.ts';
import type { AccessTables } from './tables.ts';

export interface RevokeKeyOptions extends KeyContext {
  readonly id: string;
  readonly actor: string;
}

/**
 * When it resolves, the key is refused by every process. Revoking again changes nothing. Throws NOT_FOUND, and CONFLICT where a key would revoke
 * the last one that works, because then nobody could make another one from outside.
 */
export async function revokeKey(options: RevokeKeyOptions): Promise<api.ApiKeyView> {
  const { organizationId, id } = options;
  const view = await options.db.transaction().execute(async (transaction) => {
    const now = options.clock.now();
    // Two keys that revoke each other at the same time take turns here; the second one is the last.
    await lockOrganization(transaction, { organizationId, now });
    const tables = transaction.withTables<AccessTables>();
    const rows = await tables
      .selectFrom('api_keys')
      .select(KEY_COLUMNS)
      .where('organization_id', '=', organizationId)
      .where((where) => where.or([where('id', '=', id), where('revoked_at', 'is', null)]))
      .execute();
    const row = rows.find((candidate) => candidate.id === id);
    if (row === undefined) throw new HabeasError('NOT_FOUND', 'There is no API key with this id.');
    if (row.revoked_at !== null) return keyView(row);
    const works = (key: (typeof rows)[number]) =>
      makesKeys(key) && (key.expires_at === null || key.expires_at > now);
    const others = rows.filter((key) => key.id !== id && key.revoked_at === null && works(key));
    if (others.length === 0 && makesKeys(row) && options.actor.startsWith('key:')) {
      throw new HabeasError(
        'CONFLICT',
        'This is the last key that works and can make others; without it nobody could. Make another key first.',
      );
    }
    await tables
      .updateTable('api_keys')
      .set({ revoked_at: now })
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
    const entry = { organizationId, actor: options.actor, subject: id };
    await options.audit(transaction, [{ ...entry, action: 'key.revoked' }], now);
    return keyView({ ...row, revoked_at: now });
  });
  await untilForgotten();
  return view;
}

function makesKeys(key: Pick<AccessTables['api_keys'], 'scopes'>): boolean {
  return scopesOf(key).includes('keys:write');
}
