import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import type { Capability } from '../connector.ts';
import type { ClientDescription } from '../systems.ts';
import { answered } from './explain-failure.ts';
import type { PdClient } from './pd-client.ts';

/** What a service says of itself by Describe. */
export interface PdClientDescription extends ClientDescription {
  /** Its own name; undefined when it does not offer Describe. */
  readonly service: string | undefined;
  /** Most calls at once that it wants; 0 when it did not say. */
  readonly maxConcurrentCalls: number;
  /** A sentence each for what is missing or odd. */
  readonly problems: readonly string[];
}

const IDENTITY_TYPE = /^[a-z][a-z0-9_]{0,62}$/;
const CATEGORY = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/;

/** Asks a service what it holds and can do. A service without Describe is taken to hold something and to find people by any identity. */
export async function describeService(client: PdClient, signal: AbortSignal): Promise<PdClientDescription> {
  try {
    const found = await client.call(PDClient.method.describe, {}, { signal });
    const needs = found.identityTypesNeeded.filter((type) => IDENTITY_TYPE.test(type));
    const resolves = found.identityTypesResolved.filter((type) => IDENTITY_TYPE.test(type));
    const dataCategories = found.dataCategories.filter((category) => CATEGORY.test(category));
    const dropped =
      needs.length < found.identityTypesNeeded.length ||
      resolves.length < found.identityTypesResolved.length ||
      dataCategories.length < found.dataCategories.length;
    const capabilities: readonly Capability[] = [
      ...(resolves.length > 0 ? (['resolve'] as const) : []),
      ...(found.rights.includes('access') ? (['collect'] as const) : []),
      ...(found.rights.includes('erasure') ? (['erase', 'verify'] as const) : []),
      ...(found.rights.includes('portability') ? (['portability'] as const) : []),
      ...(found.rights.includes('rectification') ? (['rectify'] as const) : []),
      ...(found.rights.includes('restriction') ? (['restrict'] as const) : []),
      ...(found.rights.includes('objection') ? (['object'] as const) : []),
    ];
    return {
      service: found.service,
      capabilities,
      needs,
      resolves,
      dataCategories,
      maxConcurrentCalls: found.limits?.maxConcurrentCalls ?? 0,
      problems: [
        ...(dropped
          ? ['Describe names identity types or data categories that are not words of the taxonomy.']
          : []),
        ...(found.rights.length === 0 ? ['Describe names no right that the service supports.'] : []),
      ],
    };
  } catch (error) {
    if (!answered(error, Code.Unimplemented)) throw error;
    return {
      service: undefined,
      capabilities: ['collect', 'erase', 'verify'],
      needs: [],
      resolves: [],
      dataCategories: [],
      maxConcurrentCalls: 0,
      problems: [],
    };
  }
}
