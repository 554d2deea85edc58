import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import type { ChangeKind } from '../../map/index.ts';
import type { DiffOptions, ExportOptions, ImportOptions } from '../actions/map-exports.ts';
import { withServerOptions } from '../context.ts';
import { withMapFilter } from '../map-filter-options.ts';
import type { Run } from '../verb.ts';

const load = () => import('../actions/map-exports.ts');

/** Exactly the kinds of the map's room, which is loaded only by who compares. */
const KINDS: Readonly<Record<ChangeKind, true>> = {
  'new-sensitive': true,
  'new-unclassified': true,
  'new-external': true,
  'new-flow': true,
  removed: true,
};

/** Adds `export`, `import` and `diff` to `habeas map`. */
export function mapExportVerbs(map: Command, run: Run): void {
  withServerOptions(
    withMapFilter(
      map
        .command('export')
        .description('save the map, or the record of processing, in a format that others read'),
      'map',
    )
      .addOption(new Option('--format <name>', 'of the file').choices(api.MAP_EXPORT_FORMATS).default('json'))
      .addOption(
        new Option('--form <name>', 'which record of processing')
          .choices(['controller', 'processor'])
          .default('controller'),
      )
      .option('--output <file>', 'where to save it (default: standard output)'),
  ).action((options: ExportOptions) => run(async (context) => (await load()).exportMap(context, options)));

  map
    .command('import')
    .description('turn an exported map, or Fideslang systems, into declarations for the configuration')
    .argument('<file>', 'JSON of `habeas map export`, or Fideslang systems in YAML or JSON')
    .option('--output <file>', 'where to save them (default: standard output)')
    .option('--json', 'print JSON for programs')
    .action((file: string, options: ImportOptions) =>
      run(async (context) => (await load()).importFile(context, file, options)),
    );

  withServerOptions(
    map
      .command('diff')
      .description('compare the map with an exported one, and fail on changes that are not allowed')
      .requiredOption('--against <file>', 'the earlier map, as JSON of `habeas map export`')
      .option('--of <file>', 'the later map, as JSON (default: the map of the server)')
      .addOption(
        new Option('--fail-on <kinds...>', 'end with 6 if there is such a change').choices(
          Object.keys(KINDS),
        ),
      )
      .addOption(
        new Option('--format <name>', 'markdown is for a comment in a pull request')
          .choices(['text', 'markdown'])
          .default('text'),
      ),
  ).action((options: DiffOptions) => run(async (context) => (await load()).diff(context, options)));
}
