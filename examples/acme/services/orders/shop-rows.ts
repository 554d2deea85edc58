import { createPrng, type Prng } from '../../people/prng.ts';
import { dateOf, type Person, person, SEED, STREAM } from '../../people.ts';

/** A value as it is sent to PostgreSQL. */
export type Value = string | number | null;

/** The columns of each table that is seeded, with their types; rows follow this order. */
export const SHOP_TABLES = {
  products: { sku: 'text', title: 'text', price_cents: 'integer' },
  customers: {
    id: 'bigint',
    user_id: 'text',
    email: 'text',
    given_name: 'text',
    family_name: 'text',
    phone: 'text',
    birth_date: 'date',
    created_at: 'timestamptz',
  },
  addresses: { id: 'bigint', street: 'text', city: 'text', country: 'text' },
  customer_addresses: { customer_id: 'bigint', address_id: 'bigint', kind: 'text' },
  orders: {
    id: 'bigint',
    customer_id: 'bigint',
    ship_to: 'bigint',
    status: 'text',
    ip: 'inet',
    note: 'text',
    ordered_at: 'timestamptz',
  },
  order_lines: {
    order_id: 'bigint',
    line_no: 'smallint',
    sku: 'text',
    quantity: 'smallint',
    price_cents: 'integer',
    engraving: 'text',
  },
  returns: { order_id: 'bigint', line_no: 'smallint', reason: 'text', returned_at: 'timestamptz' },
  payment_cards: {
    id: 'bigint',
    customer_id: 'bigint',
    holder: 'text',
    brand: 'text',
    last_four: 'text',
    token: 'text',
    expires: 'date',
  },
  support_messages: {
    id: 'bigint',
    parent: 'bigint',
    customer_id: 'bigint',
    written_by: 'text',
    body: 'text',
    sent_at: 'timestamptz',
  },
  order_audit: {
    id: 'bigint',
    customer_id: 'bigint',
    order_number: 'bigint',
    buyer_name: 'text',
    buyer_email: 'text',
    buyer_ip: 'inet',
    net_cents: 'integer',
    vat_cents: 'integer',
    recorded_at: 'timestamptz',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type ShopTable = keyof typeof SHOP_TABLES;

export interface ShopRow {
  readonly table: ShopTable;
  /** In the order of the table's columns. */
  readonly values: readonly Value[];
}

const MOST_ORDERS = 8;
const CIRCLE = 8;
const MOST_MESSAGES = 16;
const VAT_PERCENT = 20;

const THINGS = ['Lamp', 'Chair', 'Kettle', 'Notebook', 'Umbrella', 'Clock', 'Blanket', 'Bottle'] as const;
const KINDS = ['Small', 'Large', 'Red', 'Folding', 'Silent'] as const;
const WISHES = [
  'Please ring twice.',
  'Leave it with the neighbour.',
  'A gift: no bill in the parcel.',
] as const;
const REASONS = ['Too large', 'Came broken', 'Changed my mind'] as const;
const BRANDS = ['visa', 'mastercard', 'amex'] as const;
const QUESTIONS = ['My parcel is late.', 'The lid does not close.', 'How do I send it back?'] as const;
const ANSWERS = ['Same here!', 'Mine came after a week.', 'Turn it the other way round.'] as const;

/** What the shop knows about a person: the customer, where they live, what they ordered, how they paid. */
export function* shopRowsOf(n: number): Generator<ShopRow, void, void> {
  const who = person(n);
  const prng = createPrng(SEED, STREAM.shop, n);
  const customerId = customerIdOf(n);
  yield {
    table: 'customers',
    values: [
      customerId,
      who.userId,
      who.email,
      who.givenName,
      who.familyName,
      who.phone,
      who.birthDate,
      who.since,
    ],
  };
  const shipTo = yield* addressRows({ who, customerId, prng });
  for (let k = 0, count = prng.int(6); k < count; k += 1) {
    yield* orderRows({ who, customerId, shipTo, prng, orderId: n * MOST_ORDERS + k + 1 });
  }
  for (let k = 0, count = prng.int(3); k < count; k += 1) {
    const token = `tok_${prng.int(2 ** 32).toString(36)}${prng.int(2 ** 32).toString(36)}`;
    const lastFour = String(prng.int(10_000)).padStart(4, '0');
    const expires = dateOf(Date.UTC(2026, 0, 31), prng.int(1_500));
    yield {
      table: 'payment_cards',
      values: [n * 2 + k + 1, customerId, who.name, prng.pick(BRANDS), lastFour, token, expires],
    };
  }
}

export function* productRows(): Generator<ShopRow, void, void> {
  for (const thing of THINGS) {
    for (const kind of KINDS) {
      const sku = skuOf(thing, kind);
      yield { table: 'products', values: [sku, `${kind} ${thing}`, priceOf(sku)] };
    }
  }
}

/**
 * The threads between customers of one circle (eight people after each other). Every reply names the message that it
 * answers, so that a thread is a tree of several people's words.
 */
export function* threadRowsOf(circle: number, people: number): Generator<ShopRow, void, void> {
  const prng = createPrng(SEED, STREAM.support, circle);
  const members = Math.min(CIRCLE, people - circle * CIRCLE);
  const count = prng.chance(70) ? 2 + prng.int(MOST_MESSAGES - 2) : 0;
  const start = Date.UTC(2025, 6, 1) + prng.int(300) * 86_400_000;
  for (let k = 0; k < count; k += 1) {
    const staff = k > 0 && prng.chance(25);
    const parent = k === 0 ? null : circle * MOST_MESSAGES + prng.int(k) + 1;
    const author = circle * CIRCLE + prng.int(members);
    const words = k === 0 ? prng.pick(QUESTIONS) : prng.pick(ANSWERS);
    yield {
      table: 'support_messages',
      values: [
        circle * MOST_MESSAGES + k + 1,
        parent,
        staff ? null : customerIdOf(author),
        staff ? 'staff' : 'customer',
        staff ? `${words} Your Acme team` : `${words} ${person(author).givenName}`,
        new Date(start + k * 3_600_000).toISOString(),
      ],
    };
  }
}

/** All rows of a shop with so many customers. */
export function* shopRows(people: number): Generator<ShopRow, void, void> {
  yield* productRows();
  for (let n = 0; n < people; n += 1) {
    yield* shopRowsOf(n);
    if (n % CIRCLE === CIRCLE - 1 || n === people - 1) yield* threadRowsOf(Math.floor(n / CIRCLE), people);
  }
}

export function customerIdOf(n: number): number {
  return n + 1;
}

/** With whom person `n` shares a home: of each third pair of neighbours, the second lives at the first one's. */
export function livesWith(n: number): number {
  return n % 6 === 1 ? n - 1 : n;
}

interface AddressParts {
  readonly who: Person;
  readonly customerId: number;
  readonly prng: Prng;
}

/** Writes where they live and returns the address that their orders go to. */
function* addressRows({ who, customerId, prng }: AddressParts): Generator<ShopRow, number, void> {
  const homeId = livesWith(who.n) * 2 + 1;
  if (livesWith(who.n) === who.n) {
    yield { table: 'addresses', values: [homeId, who.home.street, who.home.city, who.home.country] };
  }
  yield { table: 'customer_addresses', values: [customerId, homeId, 'home'] };
  if (!prng.chance(15)) return homeId;
  const deliveryId = who.n * 2 + 2;
  const locker = `Parcel locker ${1 + prng.int(999)}`;
  yield { table: 'addresses', values: [deliveryId, locker, who.home.city, who.home.country] };
  yield { table: 'customer_addresses', values: [customerId, deliveryId, 'delivery'] };
  return deliveryId;
}

interface OrderParts extends AddressParts {
  readonly orderId: number;
  readonly shipTo: number;
}

function* orderRows({ who, customerId, shipTo, orderId, prng }: OrderParts): Generator<ShopRow, void, void> {
  const orderedAt = dateOf(Date.parse(who.since), prng.int(540));
  const returned = prng.chance(8);
  const note = prng.chance(20) ? `${prng.pick(WISHES)} ${who.phone}` : null;
  const status = returned ? 'returned' : 'sent';
  yield { table: 'orders', values: [orderId, customerId, shipTo, status, who.ip, note, orderedAt] };
  let net = 0;
  for (let line = 1, count = 1 + prng.int(4); line <= count; line += 1) {
    const sku = skuOf(prng.pick(THINGS), prng.pick(KINDS));
    const quantity = 1 + prng.int(3);
    const engraving = prng.chance(10) ? `For ${who.givenName}` : null;
    net += quantity * priceOf(sku);
    yield { table: 'order_lines', values: [orderId, line, sku, quantity, priceOf(sku), engraving] };
    if (returned && line === 1) {
      yield { table: 'returns', values: [orderId, line, prng.pick(REASONS), orderedAt] };
    }
  }
  const vat = Math.round((net * VAT_PERCENT) / 100);
  yield {
    table: 'order_audit',
    values: [orderId, customerId, orderId, who.name, who.email, who.ip, net, vat, orderedAt],
  };
}

function skuOf(thing: string, kind: string): string {
  return `${thing.slice(0, 3)}-${kind.slice(0, 3)}`.toUpperCase();
}

function priceOf(sku: string): number {
  return 500 + ((sku.charCodeAt(0) * 7 + sku.charCodeAt(4) * 13) % 90) * 100;
}
