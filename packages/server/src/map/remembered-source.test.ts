import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { auditMigrations } from '../audit/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { applyReading } from './apply-reading.ts';
import type { Declaration } from './declaration.ts';
import { mapMigrations } from './migrations.ts';
import type { RememberedSources } from './remembered-source.ts';
import type { MapTables } from './tables.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const TYPES = ['email', 'ip', 'name'];

/** One list for the same types, as a source gives it. */
const lists = new Map<string, readonly Declaration[]>();
function listOf(types: readonly string[]): readonly Declaration[] {
  const list =
    lists.get(types.join()) ??
    types.map((dataType) => ({ kind: 'store' as const, team: 'data', service: 's', dataType }));
  lists.set(types.join(), list);
  return list;
}

it('stores the same, however several processes take turns and whatever each of them remembers', async () => {
  await using database = await createTestDatabase(migrations);
  const { db } = database;
  let run = 0;
  const reading = fc.record({
    types: fc.constantFrom(TYPES, ['email', 'ip'], ['ip']),
    process: fc.nat(1),
    complete: fc.boolean(),
    stored: fc.constantFrom('committed', 'committed', 'rolled back'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(reading, { maxLength: 10 }), async (readings) => {
      run += 1;
      const source = `prod ${run}`;
      const processes: RememberedSources[] = [new Map(), new Map()];
      let open: readonly string[] = [];
      for (const [minute, { types, process, complete, stored }] of readings.entries()) {
        const options = {
          organizationId: 'acme',
          startedAt: new Date(minute * 60_000),
          remembered: processes[process],
          reading: {
            state: 'read' as const,
            source,
            declarations: listOf(types),
            rejections: [],
            problems: [],
            complete,
          },
        };
        if (stored === 'rolled back') {
          const failing = db.withPlugin({
            transformQuery({ node }) {
              if (node.kind === 'UpdateQueryNode') throw new Error('The connection broke.');
              return node;
            },
            transformResult: async ({ result }) => result,
          });
          await expect(applyReading(failing, options)).rejects.toThrow('The connection broke.');
          continue;
        }
        const now = complete ? types : [...new Set([...open, ...types])];
        const { started, ended } = await applyReading(db, options);
        expect(started).toBe(now.filter((type) => !open.includes(type)).length);
        expect(ended).toBe(open.filter((type) => !now.includes(type)).length);
        open = now;
        const rows = await db
          .withTables<MapTables>()
          .selectFrom('map_declarations')
          .select('data_type')
          .where('organization_id', '=', 'acme')
          .where('source', '=', source)
          .where('last_seen', 'is', null)
          .execute();
        expect(rows.map((row) => row.data_type).sort()).toEqual([...open].sort());
      }
    }),
    { numRuns: 60 },
  );
});
