import type { ConfiguredConnection } from '../systems.ts';
import type { SweptStore } from './stray-report.ts';

/** Removes what processes that ended left of our own beside the things of a store; undefined: nothing of ours is made there. */
export async function sweepStore(
  { config, inputs, open }: Pick<ConfiguredConnection, 'config' | 'inputs' | 'open'>,
  signal: AbortSignal,
): Promise<SweptStore | undefined> {
  const connector = open(inputs.content);
  try {
    const swept = await connector.sweep?.(signal);
    return swept === undefined ? undefined : { connection: config.key, ...swept };
  } finally {
    await connector.close();
  }
}
