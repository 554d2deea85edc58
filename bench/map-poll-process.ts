/** Polls a Prometheus server as `habeas serve` does, in a process of its own whose memory can be measured. */
import '../packages/server/src/small-heap.ts';
import {
  createLogger,
  openDatabase,
  parseConfig,
  systemClock,
} from '../packages/server/src/foundation/index.ts';
import { createMap } from '../packages/server/src/map/index.ts';
import { peakMemoryOf } from './resident-memory.ts';
import { timed } from './statistics.ts';

/** What one run of this file prints. */
export interface PollRun {
  /** Of each poll. */
  readonly milliseconds: readonly number[];
  readonly started: number;
  readonly ended: number;
  readonly declarations: number;
  /** VmHWM in MB. */
  readonly peak: number;
}

const [databaseUrl = '', prometheusUrl = '', polls = '1'] = process.argv.slice(2);
const text = JSON.stringify({
  map: { prometheus: [{ url: prometheusUrl, name: 'bench', window: '5m', backfill: '0d' }] },
});
const opened = openDatabase({ url: databaseUrl });
const map = createMap({
  db: opened.db,
  clock: systemClock,
  organizationId: 'bench',
  config: parseConfig({ text, file: 'habeas.yaml', environment: {} }),
  logger: createLogger(),
});
const milliseconds: number[] = [];
let started = 0;
let ended = 0;
let declarations = 0;
for (let poll = 0; poll < Number(polls); poll += 1) {
  const { milliseconds: time, result } = await timed(() => map.poll());
  const [source] = result.sources;
  if (source === undefined || source.state !== 'ok')
    throw new Error(`The poll failed: ${JSON.stringify(source)}`);
  milliseconds.push(time);
  started += source.started;
  ended += source.ended;
  declarations = source.declarations;
}
await opened.close();
const run: PollRun = { milliseconds, started, ended, declarations, peak: peakMemoryOf(process.pid) };
process.stdout.write(JSON.stringify(run));
