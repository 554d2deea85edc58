import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once as emitted } from 'node:events';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from 'mysql2/promise';
import { freePorts } from '../../../../../examples/acme/free-ports.ts';
import { eventually } from '../../eventually.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';

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

export async function openMariadbStore({ folder, people }: StoreOptions): Promise<CanaryStore> {
  const data = join(folder, 'data');
  mkdirSync(data);
  chmodSync(folder, 0o755);
  const user = ownUser(data);
  installDatabase(data, user);
  const [port = 0] = await freePorts(1);
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      ...user,
      `--datadir=${data}`,
      `--socket=${join(data, 'socket')}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--log-bin=binlog',
      '--binlog-expire-logs-seconds=864000',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-log-file-size=8M',
      '--innodb-buffer-pool-size=32M',
      '--character-set-server=utf8mb4',
    ],
    { stdio: 'ignore' },
  );
  const pool = createPool({ host: '127.0.0.1', port, user: 'root', connectionLimit: 1, charset: 'utf8mb4' });
  await eventually(
    'MariaDB answers',
    () =>
      pool.query('select 1').then(
        () => true,
        () => false,
      ),
    60,
  );
  for (const statement of SCHEMA) await pool.query(statement);
  await pool.query('insert into members values ?', [
    people.map(({ userId, email, mark }) => [userId, email, JSON.stringify({ motto: `I am ${mark}` })]),
  ]);
  await pool.query('insert into visits (member_id, note) values ?', [
    people.flatMap(({ userId, mark }) => [1, 2].map((n) => [userId, `${mark} came ${n}`])),
  ]);
  const stop = once(async () => {
    await pool.end();
    await endOf(server);
    return data;
  });
  return {
    key: 'club',
    connection: {
      kind: 'mysql',
      url: `mysql://root@127.0.0.1:${port}/club`,
      residuals: [{ copy: 'table-files', for: '7d' }],
    },
    dataset: DATASET,
    async contents() {
      const all = new Map<string, string>();
      for (const table of ['members', 'visits']) {
        const [rows] = await pool.query({ sql: `select * from ${table}`, rowsAsArray: true });
        for (const row of rows as unknown[][]) all.set(`${table} ${row[0]}`, JSON.stringify(row));
      }
      return all;
    },
    stop,
    copies: [
      { path: /\/binlog\./, copy: 'binary-log' },
      { path: /\.ibd$|\/ibdata|\/ib_logfile|\/undo/, copy: 'table-files' },
    ],
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** MariaDB does not run as root: then it is given its own user. */
function ownUser(data: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'mysql']).stdout));
  chownSync(data, uid, gid);
  return ['--user=mysql'];
}

function installDatabase(data: string, user: readonly string[]): void {
  const args = [
    '--no-defaults',
    ...user,
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ];
  const { status, stderr } = spawnSync('mariadb-install-db', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mariadb-install-db ended with ${status}: ${stderr}`);
}

async function endOf(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = emitted(server, 'exit');
  server.kill('SIGTERM');
  await gone;
}
