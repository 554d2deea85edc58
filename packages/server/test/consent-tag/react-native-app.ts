// An app on a telephone, as React Native's packager builds it. Hermes on the command line has neither a network nor a store: the answers of both are given,
// and what is asked of them is printed (react-native.ts).
import { createConsent } from '@habeas/consent';
import type { Given, Printed } from './react-native.ts';

declare const given: Given;
declare const print: (line: string) => void;

const say = (printed: Printed) => print(JSON.stringify(printed));
const items = new Map(Object.entries(given.items));
const answers = [...given.answers];
const errors: string[] = [];
let ids = 0;

/** As AsyncStorage: every answer is a promise. */
const storage = {
  getItem: (key: string) => Promise.resolve(items.get(key) ?? null),
  setItem: (key: string, value: string) => Promise.resolve(void items.set(key, value)),
  removeItem: (key: string) => Promise.resolve(void items.delete(key)),
};

function fetch(url: string, init: RequestInit = {}): Promise<Response> {
  const answer = answers.shift();
  if (answer === undefined) {
    say({ call: { url, init } });
    return new Promise(() => undefined);
  }
  if (answer === 'no network') return Promise.reject(new TypeError('Network request failed'));
  const { status, body } = answer;
  const received = { ok: status < 400, status, json: () => Promise.resolve(JSON.parse(body)) };
  return Promise.resolve(received as Response);
}

async function run(): Promise<void> {
  const consent = createConsent({
    server: given.server,
    language: 'de-AT',
    region: 'AT',
    storage,
    fetch: fetch as typeof globalThis.fetch,
    newId() {
      ids += 1;
      return `${given.idsFrom}-${ids}`;
    },
    now: () => new Date(given.now),
    onError: (error) => errors.push(`${error}`),
  });
  await consent.ready;
  const asked = consent.mustAsk;
  await consent.send();
  for (const step of given.steps) {
    if ('choose' in step) await consent.choose(step.choose, 'in the app');
    if ('identify' in step) await consent.identify(step.identify);
    await consent.send();
  }
  say({
    end: {
      asked,
      asks: consent.mustAsk,
      language: consent.notice?.language,
      said: consent.said,
      allowed: given.codes.filter((code) => consent.allowed(code)),
      errors,
      items: Object.fromEntries(items),
    },
  });
}

run().catch((error: unknown) => say({ failed: error instanceof Error ? `${error.stack}` : `${error}` }));
