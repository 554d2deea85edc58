import type { Command } from 'commander';
import { clientFor, print, withServerOptions } from '../context.ts';
import { type MapFilterOptions, mapFilterOf, withMapFilter } from '../map-filter-options.ts';
import { positiveNumber } from '../option-values.ts';
import { impactLines, impactListLines, pathsLines, reachLines } from '../render/map-answers.ts';
import { gapListLines } from '../render/map-view.ts';
import type { Run } from '../verb.ts';

interface PathsOptions extends MapFilterOptions {
  readonly maxHops: number;
  readonly limit: number;
}

/** `habeas map upstream | downstream | paths | impact | gaps`. */
export function mapQuestionVerbs(map: Command, run: Run): void {
  for (const [direction, description] of [
    ['upstream', 'where the data of a service comes from, each data type by itself'],
    ['downstream', 'where the data of a service goes to, each data type by itself'],
  ] as const) {
    const command = map.command(direction).description(description).argument('<service>');
    withServerOptions(withMapFilter(command, 'service')).action(
      (service: string, options: MapFilterOptions) =>
        run(async (context) => {
          const answer = await clientFor(context, options).getReach(direction, {
            ...mapFilterOf(options),
            service,
          });
          print(context, options, {
            json: answer,
            lines: () => reachLines(answer, context.terminal.width, context.paint),
          });
          return 'done';
        }),
    );
  }
  pathsVerb(map, run);
  impactVerb(map, run);
  gapsVerb(map, run);
}

function pathsVerb(map: Command, run: Run): void {
  const command = map
    .command('paths')
    .description('the ways that data takes from one service to another, with the evidence of each hop')
    .argument('<from>')
    .argument('<to>')
    .option('--max-hops <number>', 'longest path', positiveNumber, 6)
    .option('--limit <number>', 'most paths; the shortest ones', positiveNumber, 20);
  withServerOptions(withMapFilter(command, 'service')).action(
    (from: string, to: string, options: PathsOptions) =>
      run(async (context) => {
        const { service: _, ...filter } = mapFilterOf(options);
        const answer = await clientFor(context, options).getPaths({
          ...filter,
          from,
          to,
          max_hops: options.maxHops,
          limit: options.limit,
        });
        print(context, options, {
          json: answer,
          lines: () => pathsLines(answer, context.terminal.width, context.paint),
        });
        return 'done';
      }),
  );
}

function impactVerb(map: Command, run: Run): void {
  const command = map
    .command('impact')
    .description(
      'whom it concerns if a service goes away or is breached; without a service, how far each one reaches',
    )
    .argument('[service]');
  withServerOptions(withMapFilter(command, 'service')).action(
    (service: string | undefined, options: MapFilterOptions) =>
      run(async (context) => {
        const client = clientFor(context, options);
        const { width } = context.terminal;
        const filter = mapFilterOf(options);
        if (service === undefined) {
          const list = await client.listImpacts(filter);
          print(context, options, { json: list, lines: () => impactListLines(list, width, context.paint) });
          return 'done';
        }
        const answer = await client.getImpact({ ...filter, service });
        print(context, options, { json: answer, lines: () => impactLines(answer, width, context.paint) });
        return 'done';
      }),
  );
}

function gapsVerb(map: Command, run: Run): void {
  const command = map.command('gaps').description('what is missing in the map, and what to do about it');
  withServerOptions(withMapFilter(command, 'map')).action((options: MapFilterOptions) =>
    run(async (context) => {
      const answer = await clientFor(context, options).listGaps(mapFilterOf(options));
      print(context, options, {
        json: answer,
        lines: () => gapListLines(answer, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
}
