/**
 * What people do on the site, as lines in files. It has no client: a ticket goes to the team, and a member of it runs
 * `forget.ts`. The process declares what it stores and where it sends it.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { declare } from '@habeas/sdk';
import { endWithParent, reportSeeding } from '../lifeline.ts';
import { servePlain } from '../plain-server.ts';
import { readServiceOptions } from '../service-options.ts';
import { MONTHS } from './event-lines.ts';
import { eventsFolder, seedEvents } from './seed.ts';

endWithParent();
const { data, port, people, fresh } = readServiceOptions();

const declared = declare({
  team: 'data',
  service: 'analytics',
  stores: ['user_id', 'ip', 'page_view', 'user_agent'],
  transmits: { orders: ['user_id', 'page_view'] },
});

await seedEvents({ folder: data, people, fresh, onProgress: reportSeeding });

await servePlain({
  port,
  declared,
  answer: async (path) => {
    if (path !== '/months') return undefined;
    const sizes = MONTHS.map(async (month) => {
      const { size } = await stat(join(eventsFolder(data), `${month}.jsonl`));
      return { month, bytes: size };
    });
    return Promise.all(sizes);
  },
});
