import type { ContractSubject } from '../src/connectors/index.ts';
import { CODE, type InsideStores } from './inside-stores.ts';
import { people } from './small-shop-contract.ts';

/** People whose identities and details lie in JSON alone, for the rules of every connector. */
const CONTRACT_DATASET = `${people(`${CODE}
          - { name: doc.contact.email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: doc.name, data_categories: [user.name] }`)}
      - name: notes
        habeas: { on_erase: mask }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: doc.about.code, data_categories: [user.unique_id], fides_meta: { identity: code } }
          - { name: doc.body, data_categories: [user.content] }`;

/** A fresh store of them, as the rules ask for it. */
export async function openContract({ types: [type = ''], open }: InsideStores): Promise<ContractSubject> {
  const store = await open(CONTRACT_DATASET, [
    `create table people (id int primary key, doc ${type})`,
    `create table notes (id int primary key, doc ${type})`,
    `insert into people values (1, '{"code": 1, "contact": {"email": "ann@example.com"}, "name": "Ann"}'),
       (2, '{"code": "2", "contact": {"email": "bob@example.com"}}'), (3, '{"code": 0}'), (4, '{"code": ""}'), (5, null)`,
    `insert into notes values (1, '{"about": [{"code": "1"}, {"code": 7}], "body": "of Ann"}'),
       (2, '{"about": {"code": 2}, "body": "of Bob"}'), (3, '{"about": {"code": "0"}}'), (4, '{"about": {"code": ""}}')`,
  ]);
  return {
    connector: store.connector,
    person: [{ type: 'email', value: 'ann@example.com' }],
    other: [{ type: 'email', value: 'bob@example.com' }],
    falsy: [[{ type: 'code', value: '0' }], [{ type: 'code', value: '' }]],
    snapshot: async () => [
      await store.texts('select doc from people order by id'),
      await store.texts('select doc from notes order by id'),
    ],
    close: async () => undefined,
  };
}
