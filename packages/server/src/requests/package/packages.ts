import { appendAudit } from '../../audit/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import type { RequestRef } from '../identity-vault.ts';
import { requestRow } from '../read-requests.ts';
import type { Caller, Requests } from '../requests.ts';
import {
  type OpenedPackage,
  type OpenPackageOptions,
  openPackage,
  type PackageForm,
} from './open-package.ts';

export type PackagesOptions = Omit<OpenPackageOptions, 'now'> & { readonly clock: { now(): Date } };

/** What the organization itself may do with packages. */
export function createPackages(options: PackagesOptions): Pick<Requests, 'openPackage' | 'packageKey'> {
  const { db, clock } = options;

  const find = async (ref: RequestRef, form: PackageForm): Promise<OpenedPackage> => {
    const row = await requestRow(db, ref);
    const found = await openPackage({ ...options, now: clock.now() }, ref, form);
    if (found !== undefined) return found;
    throw new HabeasError(
      'NOT_FOUND',
      `Request ${ref.requestId} is ${row.state} and has no package: it is not built yet, it has expired, or it is not an access request.`,
    );
  };
  const audit = (caller: Caller, requestId: string, action: string, details: Record<string, string>) =>
    db.transaction().execute((transaction) =>
      appendAudit(
        transaction,
        [
          {
            organizationId: caller.organizationId,
            actor: caller.actor,
            action,
            subject: requestId,
            details,
          },
        ],
        clock.now(),
      ),
    );

  return {
    async openPackage(caller, requestId, form) {
      const found = await find({ organizationId: caller.organizationId, requestId }, form);
      await audit(caller, requestId, 'package.opened', { form });
      return found;
    },
    async packageKey(caller, requestId) {
      const found = await find({ organizationId: caller.organizationId, requestId }, 'age');
      await audit(caller, requestId, 'package.key-given', {});
      return { package_id: found.id, identity: found.identity, expires_at: found.expiresAt.toISOString() };
    },
  };
}
