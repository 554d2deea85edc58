// Tells destinations until it is killed: `node propagation-process.ts DATABASE_URL MASTER_KEY_HEX DESTINATIONS`.
import { openDatabase } from '../../src/foundation/index.ts';
import { openPropagation } from './propagation-house.ts';

const [, , url = '', key = '', destinations = '[]'] = process.argv;
await openPropagation({
  opened: openDatabase({ url }),
  masterKey: Buffer.from(key, 'hex'),
  destinations: JSON.parse(destinations),
}).start();
