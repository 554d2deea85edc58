import { createLogger } from '../packages/server/src/foundation/index.ts';
import { openState } from '../packages/server/src/main.ts';

export interface HabeasState {
  /** An admin key. */
  readonly key: string;
  /** By which services know the calls of this Habeas. */
  readonly publicKeys: readonly string[];
}

/** Migrates a database for Habeas and makes its keys, before any server runs on it. */
export async function prepareState(options: {
  readonly databaseUrl: string;
  readonly organizationId: string;
  /** Where the configuration of the server keeps its data. */
  readonly dataDir: string;
}): Promise<HabeasState> {
  const logger = createLogger({ level: 'warn' });
  const state = await openState({ ...options, environment: {}, logger });
  try {
    return { key: await state.createKey('bench'), publicKeys: await state.publicKeys() };
  } finally {
    await state.close();
  }
}
