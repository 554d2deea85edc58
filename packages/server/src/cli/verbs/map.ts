import { type Command, Option } from 'commander';
import { clientFor, print, withServerOptions } from '../context.ts';
import { type MapFilterOptions, mapFilterOf, moment, withMapFilter } from '../map-filter-options.ts';
import { holdersLines } from '../render/map.ts';
import { mapLines } from '../render/map-view.ts';
import type { Run } from '../verb.ts';
import { mapExportVerbs } from './map-exports.ts';
import { mapPushVerb } from './map-push.ts';
import { mapQuestionVerbs } from './map-questions.ts';

interface MapOptions extends MapFilterOptions {
  readonly compareTo?: string;
  readonly groupBy?: 'team';
}

/** `habeas map`: who holds and who moves which personal data, and what is missing. */
export function mapVerb(program: Command, run: Run): void {
  // What stands after the name of a command below belongs to that command.
  const map = program.command('map').enablePositionalOptions();
  mapQuestionVerbs(map, run);
  mapExportVerbs(map, run);
  mapPushVerb(map, run);
  map.description('show who holds and who moves which personal data, and what is missing');
  withServerOptions(
    withMapFilter(map, 'map')
      .option('--compare-to <time>', 'what changed since then, or until then', moment)
      .addOption(new Option('--group-by <what>', 'one line for each team').choices(['team'])),
  ).action((options: MapOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const { width } = context.terminal;
      const [answer, holders] = await Promise.all([
        client.getMap({
          ...mapFilterOf(options),
          compare_to: options.compareTo,
          group_by: options.groupBy,
        }),
        options.dataType === undefined || options.asOf !== undefined
          ? undefined
          : client.getHolders(options.dataType),
      ]);
      print(context, options, {
        json: holders === undefined ? answer : { ...answer, holders },
        lines: () => [
          ...(holders === undefined ? [] : [...holdersLines(holders, width, context.paint), '']),
          ...mapLines(answer, width, context.paint),
        ],
      });
      return 'done';
    }),
  );
}
