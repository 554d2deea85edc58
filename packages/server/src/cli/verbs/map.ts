import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { holdersLines, mapLines } from '../render/map.ts';
import type { Run } from '../verb.ts';
import { mapExportVerbs } from './map-exports.ts';
import { mapPushVerb } from './map-push.ts';

interface MapOptions extends ServerOptions {
  readonly team?: string;
  readonly service?: string;
  readonly dataType?: string;
}

/** `habeas map`: who holds and who moves which personal data, and what is missing. */
export function mapVerb(program: Command, run: Run): void {
  // What stands after the name of a command below belongs to that command.
  const map = program.command('map').enablePositionalOptions();
  mapExportVerbs(map, run);
  mapPushVerb(map, run);
  withServerOptions(
    map
      .description('show who holds and who moves which personal data, and what is missing')
      .option('--team <name>', 'only services of this team')
      .option('--service <name>', 'only this service and its neighbours')
      .option('--data-type <name>', 'who holds this data type, such as email, and who moves it'),
  ).action((options: MapOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const { width } = context.terminal;
      const [map, holders] = await Promise.all([
        client.getMap({ team: options.team, service: options.service, data_type: options.dataType }),
        options.dataType === undefined ? undefined : client.getHolders(options.dataType),
      ]);
      print(context, options, {
        json: holders === undefined ? map : { ...map, holders },
        lines: () => [
          ...(holders === undefined ? [] : [...holdersLines(holders, width, context.paint), '']),
          ...mapLines(map, width, context.paint),
        ],
      });
      return 'done';
    }),
  );
}
