import { existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, HabeasError, loadMasterKey } from '../foundation/index.ts';
import type { LocalServer } from './cli-parts.ts';
import type { CliContext } from './context.ts';
import type { Diagnosis, Examination } from './diagnosis.ts';
import { dataDirOf } from './local-server.ts';
import { bytes } from './render/time.ts';

const OLDEST_NODE = [22, 18] as const;
const LITTLE_SPACE_BYTES = 1_000_000_000;
const HARDLY_ANY_SPACE_BYTES = 200_000_000;

/** What can be looked at before anything is started. */
export function localExaminations(context: CliContext, config: Config): readonly Examination[] {
  return [
    { what: 'Node.js', look: async () => nodeVersion(process.versions.node) },
    {
      what: 'configuration',
      look: async () =>
        config.file === undefined
          ? {
              verdict: 'warn',
              finding: 'There is no habeas.yaml here; the defaults are used and nothing is connected.',
              next: 'Run `habeas init --database-url URL`, or go to the folder of your configuration.',
            }
          : { verdict: 'ok', finding: config.file },
    },
    {
      what: 'disk space',
      look: async () => diskSpace(dataDirOf(config)),
    },
    {
      what: 'master key',
      look: async () => {
        const { environment } = context;
        const dataDir = dataDirOf(config);
        const given = environment.HABEAS_MASTER_KEY !== undefined && environment.HABEAS_MASTER_KEY !== '';
        const file = join(dataDir, 'master.key');
        if (!given && !existsSync(file)) {
          return { verdict: 'ok', finding: `The first start will make one in ${file}.` };
        }
        loadMasterKey({ dataDir, environment });
        return { verdict: 'ok', finding: given ? 'from HABEAS_MASTER_KEY' : file };
      },
    },
  ];
}

/** What needs the state and the rooms: sources of the map, connections, clients. */
export function serverExaminations(server: LocalServer): readonly Examination[] {
  return [
    { what: 'sources of the map', look: () => sources(server) },
    { what: 'connections', look: () => connections(server) },
    { what: 'clients', look: () => clients(server) },
    { what: 'streams', look: () => streams(server) },
    { what: 'pauses', look: () => pauses(server) },
    { what: 'notifications', look: () => notifications(server) },
    { what: 'partners', look: () => partners(server) },
    { what: 'checkpoints', look: () => checkpoints(server) },
  ];
}

/** The verdict about a Node version such as `24.1.0`. */
export function nodeVersion(version: string): Omit<Diagnosis, 'what'> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const oldEnough = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return oldEnough
    ? {
        verdict: 'fail',
        finding: `${version} is too old`,
        next: `Install Node ${OLDEST_NODE.join('.')} or newer.`,
      }
    : { verdict: 'ok', finding: version };
}

function diskSpace(dataDir: string): Omit<Diagnosis, 'what'> {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  return spaceVerdict(bavail * bsize, folder);
}

/** The verdict about free bytes. */
export function spaceVerdict(free: number, folder: string): Omit<Diagnosis, 'what'> {
  const finding = `${bytes(free)} free at ${folder}`;
  if (free >= LITTLE_SPACE_BYTES) return { verdict: 'ok', finding };
  return {
    verdict: free >= HARDLY_ANY_SPACE_BYTES ? 'warn' : 'fail',
    finding,
    next: 'Make room, or put data_dir on a larger disk; packages and the embedded database are written there.',
  };
}

async function sources(server: LocalServer): Promise<readonly Diagnosis[]> {
  const report = await server.map.poll();
  if (report.sources.length === 0) {
    return [
      {
        what: 'sources of the map',
        verdict: 'warn',
        finding: 'No source is configured; the map stays empty.',
        next: 'List your Prometheus servers under map.prometheus, or metrics pages under map.scrape.',
      },
    ];
  }
  return report.sources.map((source): Diagnosis => {
    const what = `source ${source.source.replace(/^https?:\/\//, '')}`;
    if (source.error !== null) {
      return {
        what,
        verdict: 'fail',
        finding: source.error.message,
        next: `See ${source.error.code} in docs/errors.md.`,
      };
    }
    const finding = `${source.declarations} declarations`;
    return source.warnings.length === 0
      ? { what, verdict: 'ok', finding }
      : {
          what,
          verdict: 'warn',
          finding: `${finding}; ${source.warnings.join(' ')}`,
          next: 'Tell its team.',
        };
  });
}

async function connections(server: LocalServer): Promise<readonly Diagnosis[]> {
  const all = server.connections.list();
  if (all.length === 0) {
    return [
      {
        what: 'connections',
        verdict: 'warn',
        finding: 'No system is configured; Habeas acts on no database itself.',
        next: 'Run `habeas init --database-url URL`.',
      },
    ];
  }
  return Promise.all(
    all.map(async ({ key }): Promise<Diagnosis> => {
      const what = `connection ${key}`;
      try {
        const { ok, message, problems } = await server.connections.check(key);
        return ok
          ? { what, verdict: 'ok', finding: message }
          : {
              what,
              verdict: 'fail',
              finding: findingOf(message, problems),
              next: 'Run `habeas check` for the lines.',
            };
      } catch (error) {
        return failed(what, error);
      }
    }),
  );
}

async function clients(server: LocalServer): Promise<readonly Diagnosis[]> {
  const [views, systems] = await Promise.all([server.map.listClients(), server.map.systems()]);
  const undecided = views
    .filter(({ state, stale }) => state === 'proposed' && !stale)
    .map(
      ({ id, team, address }): Diagnosis => ({
        what: `client of ${team}`,
        verdict: 'warn',
        finding: `${address} is not approved; nothing is sent to it.`,
        next: `If it is right: habeas clients approve ${id}`,
      }),
    );
  const answering = systems.filter((system) => system.answeredBy.kind === 'client');
  const checked = await Promise.all(
    answering.map(async ({ key }): Promise<Diagnosis> => {
      const what = `client of ${key}`;
      try {
        const health = await (await server.systems.connector(key, undefined)).check();
        const finding = findingOf(health.message, health.problems);
        return health.ok
          ? { what, verdict: 'ok', finding }
          : { what, verdict: 'fail', finding, next: CHECK_CLIENT };
      } catch (error) {
        return failed(what, error);
      }
    }),
  );
  return [...undecided, ...checked];
}

async function streams(server: LocalServer): Promise<readonly Diagnosis[]> {
  const finding = await server.streams.check();
  return finding === undefined ? [] : [{ what: 'streams', verdict: 'ok', finding }];
}

async function pauses(server: LocalServer): Promise<readonly Diagnosis[]> {
  return (await server.pauses.list()).map(({ scope, system, reason, paused_by, paused_at }): Diagnosis => {
    const what = scope === 'system' ? `work on ${system}` : `work of the ${scope}`;
    const resume = {
      system: `habeas resume ${system}`,
      installation: 'habeas resume --installation',
      organization: 'habeas resume',
    };
    return {
      what,
      verdict: 'warn',
      finding: `It is paused since ${paused_at} by ${paused_by}: ${reason}`,
      next: `When it may go on: ${resume[scope]}`,
    };
  });
}

/** Receivers that do not take what they are told, or lost some of it; nothing is said of those that are well. */
async function notifications(server: LocalServer): Promise<readonly Diagnosis[]> {
  return (await server.notifications.statuses()).flatMap(
    ({ name, failingSince, error, disabledAt, deadLetters }) => {
      if (disabledAt !== null) {
        const finding = `It answered 410 at ${disabledAt.toISOString()} and is told nothing since.`;
        return [
          { what: `receiver ${name}`, verdict: 'warn', finding, next: `habeas webhooks enable ${name}` },
        ];
      }
      const lost =
        deadLetters === 0
          ? []
          : [`It lost ${deadLetters} messages in the last 30 days (habeas webhooks dead).`];
      if (failingSince === null && lost.length === 0) return [];
      const failing =
        failingSince === null
          ? []
          : [`It takes no messages since ${failingSince.toISOString()}. ${error ?? ''}`];
      const finding = [...failing, ...lost].join(' ');
      return [
        {
          what: `receiver ${name}`,
          verdict: 'warn',
          finding,
          next: 'When it is repaired: habeas notify test',
        },
      ];
    },
  );
}

/** The certificate and the directory that other organizations' systems depend on; nothing is said where there are none. */
async function partners(server: LocalServer): Promise<readonly Diagnosis[]> {
  return (await server.partners.examine()).map(({ what, verdict, finding }) =>
    verdict === 'ok'
      ? { what, verdict, finding }
      : { what, verdict, finding, next: 'See docs/partners-opendsr.md and docs/partners-drp.md.' },
  );
}

/** Where the audit log publishes its checkpoints; nothing is said where it publishes none. */
async function checkpoints(server: LocalServer): Promise<readonly Diagnosis[]> {
  return ((await server.checkpoints?.check()) ?? []).map(({ place, error }): Diagnosis => {
    const what = `checkpoints in ${place}`;
    if (error === undefined) return { what, verdict: 'ok', finding: 'It can be used.' };
    return {
      what,
      verdict: 'fail',
      finding: error.message,
      next: `Make it reachable, or name another place under audit.publish: no checkpoint is published until then. See docs/verify.md and ${error.code} in docs/errors.md.`,
    };
  });
}

const CHECK_CLIENT =
  'Let its team run `habeas clients check ADDRESS --service NAME --identity email=ADDRESS-OF-A-TEST-PERSON`.';

/** Both in one text; a problem that the message tells already is not told twice. */
function findingOf(message: string, problems: readonly string[]): string {
  return [message, ...problems.filter((problem) => !message.includes(problem))].join(' ');
}

/** What an error tells as a diagnosis. */
export function failed(what: string, error: unknown): Diagnosis {
  const known = HabeasError.from(error);
  return { what, verdict: 'fail', finding: known.message, next: `See ${known.code} in docs/errors.md.` };
}
