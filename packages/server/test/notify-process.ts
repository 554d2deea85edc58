// Tells receivers until it is killed: `node notify-process.ts DATABASE_URL CONFIGURATION`.
import { signStandardWebhook } from '../src/access/index.ts';
import { createLogger, openDatabase, parseConfig, systemClock } from '../src/foundation/index.ts';
import { createEventFeed, createNotifications } from '../src/notify/index.ts';

const [, , url = '', text = ''] = process.argv;
const logger = createLogger({ level: 'error' });
const { db, pool } = openDatabase({ url });
const feed = createEventFeed({ db, pool, logger });
await createNotifications({
  db,
  pool,
  organizationId: 'acme',
  config: parseConfig({ text, file: 'habeas.yaml', environment: {} }),
  feed,
  sign: signStandardWebhook,
  clock: systemClock,
  logger,
  tryMilliseconds: 50,
}).start();
