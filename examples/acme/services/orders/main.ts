/**
 * The shop. It owns the PostgreSQL database of the environment variable SHOP_DATABASE_URL and has no client: Habeas acts
 * on that database itself, as datasets/shop.yml says. The process declares what it stores and where it sends it.
 */
import { declare } from '@habeas/sdk';
import pg from 'pg';
import { endWithParent, reportSeeding } from '../lifeline.ts';
import { servePlain } from '../plain-server.ts';
import { readServiceOptions } from '../service-options.ts';
import { seedShop } from './seed.ts';

endWithParent();
const { port, people, fresh } = readServiceOptions();
const url = process.env.SHOP_DATABASE_URL;
if (url === undefined) throw new Error("Name the shop's database in SHOP_DATABASE_URL.");

const declared = declare({
  team: 'shop',
  service: 'orders',
  stores: [
    ...['user_id', 'email', 'name', 'phone', 'birth_date', 'address'],
    ...['payment_card', 'ip', 'order', 'support_message'],
  ],
  transmits: {
    mailer: ['email', 'name', 'order'],
    analytics: ['user_id', 'ip'],
    // A partner outside that nobody at Acme answers for: the map shows it as a gap.
    'crm-vendor': ['email', 'phone', 'loyalty_tier'],
  },
});

await seedShop({ url, people, fresh, onProgress: reportSeeding });
const pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'acme orders' });
// An idle connection that the server ends must not end the shop; the next query takes a new one.
pool.on('error', () => undefined);

await servePlain({
  port,
  declared,
  answer: async (path) => {
    const number = /^\/orders\/(\d{1,15})$/.exec(path)?.[1];
    if (number === undefined) return undefined;
    const { rows } = await pool.query<{ status: string }>('select status from orders where id = $1', [
      number,
    ]);
    return rows[0];
  },
});
