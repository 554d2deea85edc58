import type { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/index.ts';
import { openTarget, requirePostgres } from './open-target.ts';
import { readTargetState, rewriteSql } from './rewrite.ts';
import { chooseTarget, type SyncedTarget } from './target.ts';

/** Narrows statements for programs that run them by themselves. */
export interface SqlEnforcer {
  /** Throws SQL_REFUSED with the reason, NOT_FOUND for a purpose or target, FORBIDDEN for another organization. */
  enforce(organizationId: string, asked: api.EnforceSql): Promise<api.EnforcedSql>;
  close(): Promise<void>;
}

export function createSqlEnforcer({ targets }: { readonly targets: readonly SyncedTarget[] }): SqlEnforcer {
  const opened = new Map<string, ReturnType<typeof openTarget>>();
  return {
    async enforce(organizationId, { organization, purpose, target: key, sql }) {
      if (organization !== organizationId)
        throw new HabeasError(
          'FORBIDDEN',
          `This key is not of the organization ${JSON.stringify(organization)}.`,
        );
      const { target, url } = chooseTarget(
        targets.filter((one) => one.target.organizationId === organizationId),
        key,
      );
      const open = opened.get(target.key) ?? openTarget({ key: target.key, url });
      opened.set(target.key, open);
      // Read anew each time: what a view or a function is may have changed.
      const { pool, use } = requirePostgres(open, target.key);
      const state = await use(() => readTargetState(pool, target));
      const rewritten = await rewriteSql(sql, { target, state, purpose });
      return { ...rewritten, relations: [...rewritten.relations] };
    },
    async close() {
      for (const one of opened.values()) await one.close();
    },
  };
}
