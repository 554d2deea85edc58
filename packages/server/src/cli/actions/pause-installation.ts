import type { api } from '@habeas/contract';
import { createLogger, loadConfig } from '../../foundation/index.ts';
import type { Pauses } from '../../requests/index.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import { openStateOf } from '../local-server.ts';

/** Pauses every organization on the database; no server has to answer for it. Gives what is paused then. */
export function pauseInstallation(
  context: CliContext,
  options: ConfigOptions,
  reason: string,
): Promise<readonly api.PauseView[]> {
  return withPauses(context, options, (pauses) =>
    pauses.pause({ scope: 'installation' }, { actor: 'system', reason }),
  );
}

/** Ends the pause of every organization. */
export function resumeInstallation(
  context: CliContext,
  options: ConfigOptions,
): Promise<readonly api.PauseView[]> {
  return withPauses(context, options, (pauses) =>
    pauses.resume({ scope: 'installation' }, { actor: 'system' }),
  );
}

async function withPauses(
  context: CliContext,
  options: ConfigOptions,
  act: (pauses: Pauses) => Promise<void>,
): Promise<readonly api.PauseView[]> {
  const { folder, environment } = context;
  const config = loadConfig({
    file: options.config,
    folder,
    environment,
    only: ['organization', 'data_dir'],
  });
  const logger = createLogger({ level: 'silent' });
  const { state, close } = await openStateOf(context, config, {
    logger,
    firstKey: 'leave',
    onProgress: () => undefined,
  });
  try {
    await act(state.pauses);
    return await state.pauses.list();
  } finally {
    await close();
  }
}
