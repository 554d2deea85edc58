/** A shop with everything in it that a dataset can say: an owner's rows, a composite key, a thread, a shared row, kept and masked rows. */
export const SMALL_SHOP = `
  create table customers (id int primary key, email text not null unique, name text not null, phone text, birth_date date not null);
  create table addresses (id int primary key, street text not null);
  create table customer_addresses (customer_id int references customers, address_id int references addresses,
    primary key (customer_id, address_id));
  create table orders (id int primary key, customer_id int not null references customers, note text, placed_at timestamptz not null);
  create table order_lines (order_id int references orders, line_no int, sku text, engraving text, primary key (order_id, line_no));
  create table returns (order_id int, line_no int, reason text, primary key (order_id, line_no),
    foreign key (order_id, line_no) references order_lines (order_id, line_no));
  create table messages (id int primary key, parent int references messages, author int references customers, body text);
  insert into customers values
    (1, 'Ann@Example.com', 'Ann', '+44 20 7946 0001', '1980-01-01'), (2, 'bob@example.com', 'Bob', null, '1990-02-02'),
    (3, 'cid@example.com', 'Cid', '+44 20 7946 0003', '2000-03-03');
  insert into addresses values (1, 'Shared Street 1'), (2, 'Ann Street 2'), (3, 'Bob Street 3');
  insert into customer_addresses values (1, 1), (2, 1), (1, 2), (2, 3);
  insert into orders values (4, 3, 'gift', '2025-04-01'), (1, 1, 'ring twice', '2025-01-01'), (2, 1, null, '2025-02-01'), (3, 2, 'no hurry', '2025-03-01');
  insert into order_lines values (1, 1, 'a', 'For Ann'), (1, 2, 'b', null), (2, 1, 'c', null), (3, 1, 'a', 'For Bob');
  insert into returns values (1, 2, 'broken'), (3, 1, 'too big');
  insert into messages values (1, null, 1, 'Hello, Ann here'), (2, 1, 2, 'Hello Ann'), (3, 2, 1, 'Bye'), (4, null, 3, 'Anyone?');`;

export const SMALL_SHOP_TABLES = [
  'customers',
  'addresses',
  'customer_addresses',
  'orders',
  'order_lines',
  'returns',
  'messages',
] as const;

export const SMALL_SHOP_DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: customer_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: name, data_categories: [user.name] }
          - { name: phone, data_categories: [user.contact.phone_number] }
          - { name: birth_date, data_categories: [user.demographic.date_of_birth] }
      - name: customer_addresses
        habeas: { on_erase: delete }
        fields:
          - name: customer_id
            fides_meta: { primary_key: true, references: [{ dataset: shop, field: customers.id, direction: from }] }
          - name: address_id
            fides_meta: { primary_key: true, references: [{ dataset: shop, field: addresses.id, direction: to }] }
            habeas: { on_erase: delete, share: shared }
      - name: addresses
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: street, data_categories: [user.contact.address.street] }
      - name: orders
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: customer_id, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] } }
          - { name: note, data_categories: [user.content.private] }
          - { name: placed_at, data_categories: [system.operations] }
      - name: order_lines
        habeas: { on_erase: delete }
        fields:
          - { name: order_id, fides_meta: { primary_key: true, references: [{ dataset: shop, field: orders.id, direction: from }] } }
          - { name: line_no, fides_meta: { primary_key: true } }
          - { name: sku, data_categories: [system.operations] }
          - { name: engraving, data_categories: [user.content.private] }
      - name: returns
        habeas:
          on_erase: delete
          references:
            - { name: line, columns: [order_id, line_no], target: order_lines, target_columns: [order_id, line_no] }
        fields:
          - { name: order_id, fides_meta: { primary_key: true } }
          - { name: line_no, fides_meta: { primary_key: true } }
          - { name: reason, data_categories: [user.content.private] }
      - name: messages
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - name: parent
            fides_meta: { references: [{ dataset: shop, field: messages.id, direction: from }] }
            habeas: { on_erase: detach }
          - { name: author, fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] } }
          - { name: body, data_categories: [user.content.private] }
`;
