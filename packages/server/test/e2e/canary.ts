import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { House } from './house.ts';

/** A person whose every value occurs nowhere else, so that a single place with one of them is a leak. */
export const CANARY = {
  email: "Canary.o'Zöe+tag@quetzal-canary.example",
  name: 'Xochitl Quetzalcanary',
  phone: '+999-canary-5550199',
  userId: 'usr_canary_7f3a91',
  ip: '2001:db8:ca9a:b1bd:ca9a::7',
  street: 'Canarybird Lane 4711',
  token: 'tok_canary_1b9e77',
  note: 'Ring the canarybell twice',
} as const;

/** Each value as it is, and in the forms in which code passes values on. */
const FORMS: readonly (readonly [what: string, form: string])[] = Object.entries(CANARY).flatMap(
  ([what, value]) =>
    [
      value,
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      value.replaceAll("'", "''"),
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
      Buffer.from(value).toString('base64url'),
      Buffer.from(value).toString('hex'),
      ...['md5', 'sha1', 'sha256'].flatMap((hash) =>
        (['hex', 'base64'] as const).map((encoding) => createHash(hash).update(value).digest(encoding)),
      ),
    ].map((form) => [what, form.toLowerCase()] as const),
);

/** Which values of the canary are in a text, in whatever form. */
export function canaryIn(text: string): readonly string[] {
  const lower = text.toLowerCase();
  return [...new Set(FORMS.filter(([, form]) => lower.includes(form)).map(([what]) => what))];
}

/** Puts the canary into every store of the company. */
export async function releaseCanary(house: House): Promise<void> {
  const { email, name, phone, userId, ip, street, token, note } = CANARY;
  await house.shop.pool.query(
    `with customer as (
       insert into public.customers (user_id, email, given_name, family_name, phone, birth_date, created_at)
       values ($1, $2, $3, $3, $4, '1990-01-01', now()) returning id),
     address as (
       insert into public.addresses (street, city, country) values ($5, 'Canaryville', 'ES') returning id),
     home as (
       insert into public.customer_addresses select customer.id, address.id, 'home' from customer, address),
     placed as (
       insert into public.orders (customer_id, ship_to, status, ip, note, ordered_at)
       select customer.id, address.id, 'placed', $6::inet, $8, now() from customer, address returning id),
     card as (
       insert into public.payment_cards (customer_id, holder, brand, last_four, token, expires)
       select id, $3, 'visa', '0000', $7, '2030-01-01' from customer),
     message as (
       insert into public.support_messages (customer_id, written_by, body, sent_at)
       select id, 'customer', $8, now() from customer)
     insert into public.order_audit
       (customer_id, order_number, buyer_name, buyer_email, buyer_ip, net_cents, vat_cents, recorded_at)
     select customer.id, placed.id, $3, $2, $6::inet, 100, 19, now() from customer, placed`,
    [userId, email, name, phone, street, ip, token, note],
  );
  const open = (store: 'accounts' | 'mailer') =>
    new DatabaseSync(join(house.acme.folderOf(store), `${store}.sqlite`), { timeout: 5_000 });
  using accounts = open('accounts');
  accounts
    .prepare('insert into accounts values (?, ?, null, ?, ?, ?, ?, ?, ?)')
    .run(userId, email, name, phone, '1990-01-01', 'es', token, '2024-01-01');
  accounts
    .prepare('insert into sessions (user_id, ip, agent, started_at) values (?, ?, ?, ?)')
    .run(userId, ip, note, '2026-01-01');
  using mailer = open('mailer');
  mailer.prepare('insert into recipients values (?, ?, ?, 1)').run(email, name, 'es');
  const events = join(house.acme.folderOf('analytics'), 'events');
  const event = {
    at: '2026-01-17T01:24:23Z',
    event: 'basket.filled',
    path: '/basket',
    user_id: userId,
    ip,
    agent: note,
  };
  appendFileSync(join(events, readdirSync(events).sort()[0] ?? ''), `${JSON.stringify(event)}\n`);
}
