import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Answer,
  type Declared,
  Later,
  type PersonalDataCall,
  PersonalDataError,
  type PersonalDataHandlers,
  type ServePersonalDataOptions,
  servePersonalData,
} from '@habeas/sdk';
import { createPrng } from '../people/prng.ts';
import { SEED } from '../people.ts';
import { serveGarbage } from './garbage-server.ts';
import type { Faults } from './service-options.ts';

/** The longest that timers take. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

type Handler<Result> = (call: PersonalDataCall) => Answer<Result>;

/** Serves as `servePersonalData` does, and goes wrong in the ways that were asked for; without any it is the same. */
export async function serveWithFaults(
  options: ServePersonalDataOptions & { readonly declared: Declared },
  faults: Faults,
): Promise<void> {
  if (faults.garbage) return serveGarbage(options);
  await servePersonalData({
    ...options,
    ...withFaults(options, faults),
    habeas: { publicKeys: faults.refuse ? [keyOfNobody()] : options.habeas.publicKeys },
    ...(faults.hang && { answerWithin: LONGEST_MILLISECONDS }),
  });
}

function withFaults(handlers: PersonalDataHandlers, faults: Faults): PersonalDataHandlers {
  const around = <Result>(handler: Handler<Result>) => wrap(handler, faults);
  const { resolveIdentities } = handlers;
  return {
    describe: handlers.describe,
    get: around((call) => handlers.get(call)),
    // Counts what there is, says that it was erased, and erases nothing.
    delete: around((call) => (faults.keepData ? handlers.verify(call) : handlers.delete(call))),
    ...(resolveIdentities && { resolveIdentities: around((call) => resolveIdentities(call)) }),
    verify: around((call) => handlers.verify(call)),
  };
}

function keyOfNobody(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
}

function wrap<Result>(handler: Handler<Result>, faults: Faults): Handler<Result> {
  const prng = createPrng(SEED);
  const fails = () => prng.int(1_000_000) < faults.failRate * 500_000;
  const halt = async () => {
    if (faults.latency > 0) await delay(faults.latency / 2);
    if (fails()) throw new PersonalDataError('ON_PURPOSE', 'The service was started with --fail-rate.');
  };
  const after = async (result: Result): Promise<Result> => {
    await halt();
    return result;
  };
  return async (call) => {
    if (faults.hang) await new Promise<never>(() => undefined);
    await halt();
    const answer = await handler(call);
    if (!(answer instanceof Later)) return after(answer);
    return call.later(async () => after(await answer.work()));
  };
}
