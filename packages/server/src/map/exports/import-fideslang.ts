import { parse } from 'yaml';
import * as z from 'zod';
import { type DeclaredService, HabeasError } from '../../foundation/index.ts';
import { categoriesOf, distinct, type Imported } from './declared-services.ts';

const keys = z.array(z.string()).nullish();
const flow = z.looseObject({ fides_key: z.string(), type: z.string(), data_categories: keys });

const details = {
  purpose: z.string().optional(),
  subject: z.string().optional(),
  retention: z.string().optional(),
  region: z.string().optional(),
};
const kept = z.object({
  team: z.string(),
  data_type: z.string(),
  category: z.string().optional(),
  ...details,
});

const system = z.looseObject({
  fides_key: z.string().min(1),
  name: z.string().nullish(),
  administrating_department: z.string().nullish(),
  egress: z.array(flow).nullish(),
  ingress: z.array(flow).nullish(),
  privacy_declarations: z
    .array(
      z.looseObject({
        data_categories: keys,
        data_use: z.string().nullish(),
        data_subjects: keys,
        retention_period: z.string().nullish(),
      }),
    )
    .nullish(),
  meta: z
    .looseObject({
      habeas: z
        .looseObject({
          teams: z.array(z.string().nullable()),
          stores: z.array(kept),
          transmits: z.array(kept.extend({ to: z.string() })),
        })
        .optional(),
    })
    .nullish(),
});

const file = z.looseObject({ system: z.array(system) });

type System = z.output<typeof system>;
type Entry = { readonly team: string; readonly service: string } & Written & { readonly to_service?: string };
type Written = Exclude<DeclaredService['stores'][number], string>;

/** What Fideslang says of the department of a system that has none. */
const NO_DEPARTMENT = 'Not defined';

/**
 * Reads Fideslang systems (YAML or JSON) as declarations: a system is a service, its department the team, the categories of its
 * privacy declarations what it stores, `egress` and `ingress` what flows. A category becomes a data type of the same name. A
 * file that Habeas exported gives back exactly what was declared. Throws BAD_INPUT.
 */
export function importFideslang(text: string, name: string): Imported {
  const parsed = file.safeParse(parseText(text, name));
  if (!parsed.success) {
    throw new HabeasError('BAD_INPUT', `${name} is not a list of Fideslang systems (\`system:\`).`, {
      details: parsed.error.issues.slice(0, 10).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    });
  }
  const systems = parsed.data.system;
  const names = new Map(systems.map((entry) => [entry.fides_key, entry.name || entry.fides_key]));
  const notes: string[] = [];
  const categories: { data_type: string; category: string | null }[] = [];
  const stores: Entry[] = [];
  const transmits: Entry[] = [];
  const declared: { team: string; service: string }[] = [];
  for (const entry of systems) {
    const service = names.get(entry.fides_key) ?? entry.fides_key;
    const own = entry.meta?.habeas;
    if (own !== undefined) {
      declared.push(...own.teams.flatMap((team) => (team === null ? [] : [{ team, service }])));
      for (const { category, ...store } of own.stores) {
        stores.push({ ...store, service });
        categories.push({ data_type: store.data_type, category: category ?? null });
      }
      for (const { category, to, ...sent } of own.transmits) {
        transmits.push({ ...sent, service, to_service: to });
        categories.push({ data_type: sent.data_type, category: category ?? null });
      }
      continue;
    }
    const team = teamOf(entry);
    declared.push({ team, service });
    for (const {
      data_categories: held,
      data_use: use,
      data_subjects: subjects,
      retention_period: retention,
    } of entry.privacy_declarations ?? [])
      for (const category of held ?? []) {
        const [subject] = subjects?.length === 1 ? subjects : [];
        stores.push({
          ...{ team, service, data_type: category },
          ...{ purpose: use ?? undefined, subject, retention: retention ?? undefined },
        });
        categories.push({ data_type: category, category });
      }
    for (const { other, category, isOutgoing } of flowsOf(entry, notes)) {
      const receiver = names.get(other) ?? other;
      categories.push({ data_type: category, category });
      if (isOutgoing) transmits.push({ team, service, to_service: receiver, data_type: category });
      else {
        const sender = systems.find(({ fides_key: key }) => key === other);
        transmits.push({
          team: sender === undefined ? team : teamOf(sender),
          service: receiver,
          to_service: service,
          data_type: category,
        });
      }
    }
  }
  return { declarations: group(declared, stores, transmits), dataTypes: categoriesOf(categories), notes };
}

function parseText(text: string, name: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${name} is not YAML.`, { cause });
  }
}

function teamOf({ administrating_department: department, fides_key: key }: System): string {
  return !department || department === NO_DEPARTMENT ? key : department;
}

function* flowsOf(entry: System, notes: string[]) {
  const directions = [
    { list: entry.egress, isOutgoing: true, word: 'egress' },
    { list: entry.ingress, isOutgoing: false, word: 'ingress' },
  ];
  for (const { list, isOutgoing, word } of directions) {
    for (const { fides_key: other, type, data_categories: held } of list ?? []) {
      const where = `${entry.fides_key}, ${word} ${other}`;
      if (type !== 'system')
        notes.push(`${where}: a flow of type "${type}" has no counterpart and is left out.`);
      else if (held === undefined || held === null || held.length === 0)
        notes.push(`${where}: a flow without data_categories says nothing about data and is left out.`);
      else for (const category of held) yield { other, category, isOutgoing };
    }
  }
}

function group(
  declared: readonly { readonly team: string; readonly service: string }[],
  stores: readonly Entry[],
  transmits: readonly Entry[],
): readonly DeclaredService[] {
  const keyOf = ({ service, team }: { readonly team: string; readonly service: string }) =>
    JSON.stringify([service, team]);
  const storesOf = Map.groupBy(stores, keyOf);
  const flowsOf = Map.groupBy(transmits, keyOf);
  const all = new Map([...declared, ...stores, ...transmits].map((entry) => [keyOf(entry), entry]));
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { team, service }]) => ({
      team,
      service,
      stores: distinct((storesOf.get(key) ?? []).map(({ team: _, service: __, ...rest }) => rest)),
      transmits: distinct(
        (flowsOf.get(key) ?? []).map(({ team: _, service: __, to_service: to, ...rest }) => ({
          to_service: to ?? '',
          ...rest,
        })),
      ),
    }));
}
