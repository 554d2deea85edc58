import { startMariadb } from '../../mariadb-server.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';

const DATASET = `
dataset:
  - fides_key: club
    collections:
      - name: members
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: profile, data_categories: [user.demographic] }
      - name: visits
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [system.operations], fides_meta: { primary_key: true } }
          - name: member_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: club, field: members.id, direction: from }] }
          - { name: note, data_categories: [user.content.private] }
`;

const SCHEMA = [
  'create database club character set utf8mb4',
  'use club',
  'create table members (id varchar(80) primary key, email varchar(120) not null unique, profile json not null)',
  `create table visits (id int auto_increment primary key, member_id varchar(80) not null, note varchar(200) not null,
     key (note), foreign key (member_id) references members (id))`,
];

const SETTINGS = [
  '--log-bin=binlog',
  '--binlog-expire-logs-seconds=864000',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-log-file-size=8M',
  '--innodb-buffer-pool-size=32M',
];

export async function openMariadbStore({ people }: StoreOptions): Promise<CanaryStore> {
  const server = await startMariadb(SETTINGS);
  for (const statement of SCHEMA) await server.run(statement);
  await server.run('insert into members values ?', [
    people.map(({ userId, email, mark }) => [userId, email, JSON.stringify({ motto: `I am ${mark}` })]),
  ]);
  await server.run('insert into visits (member_id, note) values ?', [
    people.flatMap(({ userId, mark }) => [1, 2].map((n) => [userId, `${mark} came ${n}`])),
  ]);
  return {
    key: 'club',
    connection: {
      kind: 'mysql',
      url: `${server.url}/club`,
      // The second one counts only where the server could not write a table anew.
      residuals: [
        { copy: 'innodb-logs', for: '7d' },
        { copy: 'table-files', for: '7d' },
      ],
      options: { purge: 'optimize' },
    },
    dataset: DATASET,
    async contents() {
      const all = new Map<string, string>();
      for (const table of ['members', 'visits'])
        for (const row of (await server.run(`select * from ${table}`)).rows)
          all.set(`${table} ${row.id}`, JSON.stringify(row));
      return all;
    },
    async stop() {
      await server.kill();
      return server.folder;
    },
    copies: [
      { path: /\.ibd$/, copy: 'table-files' },
      { path: /\/binlog\./, copy: 'binary-log' },
      { path: /\/ibdata|\/ib_logfile|\/undo/, copy: 'innodb-logs' },
    ],
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}
