import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Identity } from '../../catalog/index.ts';
import {
  type ContractStore,
  configureConnections,
  contractCases,
  loadConnectionKinds,
  runContract,
} from '../../connectors/index.ts';
import { HabeasError, loadConfig, systemClock } from '../../foundation/index.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { identitiesOf } from '../option-values.ts';
import { conformanceEndLines, conformanceLines } from '../render/conformance.ts';

export interface ConnectorTestOptions extends ConfigOptions {
  readonly fixture?: string;
  readonly person?: readonly string[];
  readonly other?: string;
  readonly erase: boolean;
}

/** Runs the rules of connectors against a connection, or against the stores that a fixture makes. */
export async function connectorTest(
  context: CliContext,
  connection: string | undefined,
  options: ConnectorTestOptions,
): Promise<ExitName> {
  const { terminal, paint, signal } = context;
  const quiet = options.json === true;
  const started = performance.now();
  const store = await storeOf(context, connection, options);
  const results = await runContract({
    store,
    erase: options.erase,
    signal,
    onCase: (result) => {
      const lines = conformanceLines(result, { cases: contractCases, width: terminal.width, paint });
      if (!quiet) terminal.out(`${lines.join('\n')}\n`);
    },
  });
  if (quiet) terminal.out(`${JSON.stringify({ items: results }, null, 2)}\n`);
  else terminal.out(`${conformanceEndLines(results, performance.now() - started, paint).join('\n')}\n`);
  return results.some(({ outcome }) => outcome === 'failed') ? 'failed' : 'done';
}

async function storeOf(
  context: CliContext,
  connection: string | undefined,
  options: ConnectorTestOptions,
): Promise<ContractStore> {
  if (options.fixture !== undefined) return fixtureStore(resolve(context.folder, options.fixture));
  if (connection === undefined) {
    throw new HabeasError('BAD_INPUT', 'Name a connection of the configuration, or a module with --fixture.');
  }
  return connectionStore(context, connection, options);
}

async function fixtureStore(file: string): Promise<ContractStore> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    throw new HabeasError('BAD_INPUT', `The fixture cannot be loaded${why}.`, { cause, place: { file } });
  }
  const { open } = module;
  if (typeof open !== 'function') {
    throw new HabeasError('BAD_INPUT', 'The fixture does not export a function `open`.', { place: { file } });
  }
  return { open: async (use) => open(use) };
}

/** A store that is there once: each rule that erases takes the next test person. */
async function connectionStore(
  context: CliContext,
  key: string,
  options: ConnectorTestOptions,
): Promise<ContractStore> {
  const { folder, environment } = context;
  const config = loadConfig({ file: options.config, folder, environment, only: ['connections'] });
  const named = config.connections.filter((one) => one.key === key);
  const [configured] = configureConnections({
    config,
    kinds: await loadConnectionKinds({ ...config, connections: named }),
    only: key,
    clock: systemClock,
  });
  if (configured === undefined) {
    const known = config.connections.map((one) => one.key).join(', ');
    throw new HabeasError('NOT_FOUND', `There is no connection ${key}; there are: ${known}.`);
  }
  const people = (options.person ?? []).map((text): readonly Identity[] => identitiesOf([text]));
  const other = options.other === undefined ? undefined : identitiesOf([options.other]);
  if (people.length === 0) throw new HabeasError('BAD_INPUT', 'Name a test person with --person.');
  let erased = 0;
  return {
    async open(use) {
      const connector = configured.open(configured.inputs.content);
      // Who reads takes the person who is erased last.
      const person = use === 'read' ? people.at(-1) : people[erased];
      if (use === 'erase') erased += 1;
      return { connector, person, other, close: () => connector.close() };
    },
  };
}
