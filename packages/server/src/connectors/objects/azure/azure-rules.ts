import { type Clock, xmlElements, xmlText } from '../../../foundation/index.ts';
import type { StoreRules } from '../object-store.ts';
import type { AzureAccount } from './azure-account.ts';
import type { Container } from './azure-container.ts';

/** Azure itself ends blocks that nobody made a blob of after a week (Put Block). */
const UNCOMMITTED_DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;

/** What the account does with what is deleted. Lifecycle policies belong to its management, which has other credentials. */
export async function readRules(
  container: Container,
  {
    account,
    clock,
    signal,
  }: { readonly account: AzureAccount; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StoreRules> {
  const days = account.softDeleteDays ?? (await softDeleteDays(container, signal));
  const what =
    'What was deleted or replaced in the container stays, hidden, as the soft delete of the account says';
  return {
    oldVersionDays: () => account.oldVersionDays,
    uploadDays: () => UNCOMMITTED_DAYS,
    copies:
      days === 0
        ? []
        : days === undefined
          ? [{ what: `${what}, which Habeas may not read.`, until: null, copy: 'deleted' }]
          : [
              {
                what: `${what}: ${days} days.`,
                until: new Date(clock.now().getTime() + days * DAY_MILLISECONDS).toISOString(),
                copy: 'deleted',
              },
            ],
  };
}

/** Zero: what is deleted is gone; undefined: the account does not let us read it. */
async function softDeleteDays(container: Container, signal: AbortSignal): Promise<number | undefined> {
  const reply = await container.call({
    method: 'GET',
    what: 'read the properties of the service',
    blob: null,
    query: { restype: 'service', comp: 'properties' },
    expected: NOT_LET,
    signal,
  });
  if (reply.status >= 300) return undefined;
  const [policy = ''] = xmlElements(reply.body.toString(), 'DeleteRetentionPolicy');
  return xmlText(policy, 'Enabled') === 'true' ? Number(xmlText(policy, 'Days')) : 0;
}

/** What a signature for one container alone is told. */
const NOT_LET = [
  'AuthorizationFailure',
  'AuthorizationPermissionMismatch',
  'AuthorizationResourceTypeMismatch',
  'AuthorizationServiceMismatch',
  'AuthenticationFailed',
  'InvalidQueryParameterValue',
  'NotImplemented',
];
