import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/errors.ts';
import {
  type ChangeKind,
  diffMaps,
  diffMarkdown,
  EXPORT_FORMATS,
  forbiddenChanges,
  importMap,
  importYaml,
  mapDocument,
  readMapDocument,
} from '../../map/index.ts';
import { type CliContext, clientFor, print, type ServerOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { type MapFilterOptions, mapFilterOf } from '../map-filter-options.ts';
import { mapDiffLines } from '../render/map-diff.ts';
import { bytes } from '../render/time.ts';
import { readExport, saveExport } from '../save-export.ts';

export interface ExportOptions extends MapFilterOptions {
  readonly format: api.MapExportFormat;
  readonly form: api.RecordForm;
  readonly output?: string;
}

export interface ImportOptions {
  readonly output?: string;
  readonly json?: true;
}

export interface DiffOptions extends ServerOptions {
  readonly against: string;
  readonly of?: string;
  readonly failOn?: readonly ChangeKind[];
  readonly format: 'text' | 'markdown';
}

export async function exportMap(context: CliContext, options: ExportOptions): Promise<ExitName> {
  const { format, form, output, json } = options;
  const isBinary = format === 'record-xlsx';
  if (output === undefined && (isBinary || (json === true && format !== 'json'))) {
    throw new HabeasError(
      'BAD_INPUT',
      `The format ${format} needs a file: --output data-map.${EXPORT_FORMATS[format].extension}`,
    );
  }
  const response = await clientFor(context, options).openMapExport({ format, form, ...mapFilterOf(options) });
  if (output === undefined) {
    await readExport(response, context.terminal.out);
    return 'done';
  }
  const file = resolve(context.folder, output);
  const saved = { file, format, ...(await saveExport(response, file)) };
  print(context, options, {
    json: saved,
    lines: () => [`Saved ${file} (${bytes(saved.bytes)}, SHA-256 ${saved.sha256}).`],
  });
  return 'done';
}

export async function importFile(
  context: CliContext,
  name: string,
  options: ImportOptions,
): Promise<ExitName> {
  const imported = importMap(read(context, name), name);
  const yaml = importYaml(imported);
  const { declarations, dataTypes, notes } = imported;
  if (options.output !== undefined) writeFileSync(resolve(context.folder, options.output), yaml);
  for (const note of notes) context.terminal.note(`${note}\n`);
  print(context, options, {
    json: { declarations, data_types: dataTypes, notes },
    lines: () =>
      options.output === undefined
        ? [yaml.trimEnd()]
        : [
            `Saved ${options.output}: ${declarations.length} declared services. Add what it has to habeas.yaml.`,
          ],
  });
  return 'done';
}

export async function diff(context: CliContext, options: DiffOptions): Promise<ExitName> {
  const before = readMapDocument(read(context, options.against), options.against);
  const after =
    options.of === undefined
      ? await presentMap(context, options, before)
      : readMapDocument(read(context, options.of), options.of);
  const found = diffMaps(before, after);
  const kinds = options.failOn ?? [];
  const forbidden = forbiddenChanges(found, kinds);
  const { width } = context.terminal;
  print(context, options, {
    json: { ...found, fail_on: kinds, failed: forbidden },
    lines: () =>
      options.format === 'markdown'
        ? [diffMarkdown(found, forbidden, kinds).trimEnd()]
        : mapDiffLines({ diff: found, forbidden, width, paint: context.paint }),
  });
  return forbidden.length === 0 ? 'done' : 'changed';
}

/** The map of the server, asked for in the same way as the earlier one, but now. */
async function presentMap(context: CliContext, options: DiffOptions, before: api.MapExport) {
  const { as_of: _, ...filter } = before.stamp.filter;
  const map = await clientFor(context, options).getMap(filter);
  return mapDocument({
    map,
    organization: before.stamp.organization,
    product: `habeas ${context.parts.version}`,
    now: new Date(map.at),
  });
}

function read(context: CliContext, name: string): string {
  try {
    return readFileSync(resolve(context.folder, name), 'utf8');
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${name} cannot be read. Correct the name of the file.`, { cause });
  }
}
