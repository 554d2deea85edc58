import { createLogger, loadConfig } from '../../foundation/index.ts';
import { type CliContext, type ConfigOptions, print } from '../context.ts';
import { openStateOf } from '../local-server.ts';
import { readGiven } from '../read-given.ts';
import { logVerdictLines } from '../render/verdict.ts';

export interface VerifyLogOptions extends ConfigOptions {
  /** Files of checkpoints that were published. */
  readonly since?: readonly string[];
}

/** Recomputes the whole audit log from the database, and names the first bad entry. */
export async function verifyLog(context: CliContext, options: VerifyLogOptions): Promise<'done' | 'failed'> {
  const { folder, environment } = context;
  const config = loadConfig({ file: options.config, folder, environment });
  const published = (options.since ?? []).map((file) => readGiven(context, file));
  const logger = createLogger({ level: 'silent' });
  const opened = await openStateOf(context, config, {
    logger,
    firstKey: 'leave',
    onProgress: () => undefined,
  });
  try {
    const verdict = await opened.state.verifyAuditLog(published);
    print(context, options, {
      json: { ...verdict, fault: verdict.fault ?? null },
      lines: () => logVerdictLines(verdict, context.paint),
    });
    return verdict.fault === undefined ? 'done' : 'failed';
  } finally {
    await opened.close();
  }
}
