import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import type { Run } from '../verb.ts';

/** `habeas map push FILE`: declares for a job that nobody scrapes. */
export function mapPushVerb(map: Command, run: Run): void {
  withServerOptions(
    map
      .command('push')
      .description('declare what a job does with personal data, for jobs that nobody scrapes')
      .argument('<file>', 'YAML or JSON with source, ttl_seconds and declarations'),
  ).action((file: string, options: ServerOptions) =>
    run(async (context) => {
      const pushed = await clientFor(context, options).pushDeclarations(await readPush(file));
      print(context, options, {
        json: pushed,
        lines: () => [
          `${pushed.source}: ${pushed.declarations} declarations until ${pushed.expires_at}, ${pushed.started} new, ${pushed.ended} gone`,
          ...pushed.warnings,
        ],
      });
      return pushed.state === 'ok' ? 'done' : 'refused';
    }),
  );
}

async function readPush(file: string): Promise<api.Push> {
  const path = resolve(file);
  const { parse } = await import('yaml');
  try {
    return api.pushSchema.parse(parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new HabeasError(
      'BAD_INPUT',
      `${path} cannot be read as a push: it needs source, ttl_seconds and declarations.`,
      {
        cause,
        place: { file: path },
      },
    );
  }
}
