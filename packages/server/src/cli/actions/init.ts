import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type CollectionShape, draftDataset } from '../../catalog/index.ts';
import { CONFIG_FILE, HabeasError, withoutPassword } from '../../foundation/index.ts';
import { discover } from '../check-project.ts';
import { type CliContext, type ConfigOptions, print } from '../context.ts';
import { type DraftedProject, draftProject, keyOf } from '../draft-project.ts';
import type { ExitName } from '../exit-code.ts';
import { initLines } from '../render/init.ts';

export interface InitOptions extends ConfigOptions {
  readonly databaseUrl: string;
  readonly key?: string;
  readonly team?: string;
  readonly service?: string;
  readonly force?: true;
}

export async function init(context: CliContext, options: InitOptions): Promise<ExitName> {
  const { databaseUrl } = options;
  if (!URL.canParse(databaseUrl) || !/^postgres(ql)?:$/.test(new URL(databaseUrl).protocol)) {
    throw new HabeasError(
      'BAD_INPUT',
      'The address of the database must be like postgres://user@host/database.',
    );
  }
  const key = options.key ?? keyOf(databaseUrl);
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(key)) {
    throw new HabeasError('BAD_INPUT', 'The key must be of lower-case letters, digits, - and _.');
  }
  const draft = draftProject({
    key,
    team: options.team ?? key,
    service: options.service ?? key,
    databaseUrl,
  });
  const configFile = resolve(context.folder, options.config ?? CONFIG_FILE);
  const datasetFile = join(dirname(configFile), draft.datasetFile);
  const keepsConfig = existsSync(configFile) && options.force !== true;
  if (existsSync(datasetFile) && options.force !== true) {
    throw new HabeasError(
      'CONFLICT',
      `${datasetFile} exists and was left as it is. Choose another --key, or overwrite it with --force.`,
    );
  }

  const shapes = (await discover({ key, kind: 'postgres', url: databaseUrl }, context.signal)) ?? [];
  if (shapes.length === 0) {
    throw new HabeasError(
      'NOT_FOUND',
      `${withoutPassword(databaseUrl)} has no table that this role can see.`,
    );
  }
  const flag = options.force === true ? 'w' : 'wx';
  mkdirSync(dirname(datasetFile), { recursive: true });
  writeFileSync(datasetFile, draftDataset(shapes, { key }), { flag });
  if (!keepsConfig) writeFileSync(configFile, draft.config, { flag });
  say({ context, options, draft, shapes, keepsConfig, files: { configFile, datasetFile } });
  return 'done';
}

function say(told: {
  readonly context: CliContext;
  readonly options: InitOptions;
  readonly draft: DraftedProject;
  readonly shapes: readonly CollectionShape[];
  readonly keepsConfig: boolean;
  readonly files: { readonly configFile: string; readonly datasetFile: string };
}): void {
  const { context, options, draft, shapes, keepsConfig } = told;
  const [config, dataset] = [told.files.configFile, told.files.datasetFile].map((file) =>
    relative(context.folder, file),
  ) as [string, string];
  const view = {
    database: withoutPassword(options.databaseUrl),
    tables: shapes.length,
    columns: shapes.reduce((sum, { fields }) => sum + fields.length, 0),
    references: shapes.reduce((sum, { references }) => sum + references.length, 0),
    config,
    dataset,
    addToConfig: keepsConfig ? draft.connection : undefined,
    variable: draft.variable,
  };
  print(context, options, { json: view, lines: () => initLines(view, context.paint) });
}
