import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { count } from './text.ts';
import { shortTime } from './time.ts';

/** Who says that it was done. */
const BY: Readonly<Record<System['assurance'], string>> = {
  verified: 'Habeas',
  answered: 'word of the system',
  attested: 'word of the team',
  none: '–',
};

type System = api.ReceiptView['receipt']['systems'][number];

const LEVELS = ['hidden', 'logical', 'purged', 'key-destroyed'] as const;

/** How far gone is what is least gone of all that was found; undefined: the system does not tell. */
function levelOf({ effects = {} }: System): string | undefined {
  const told = new Set(Object.values(effects).map(({ level }) => level));
  return LEVELS.find((level) => told.has(level));
}

/** What a receipt says, in words. */
export function receiptLines(view: api.ReceiptView, width: number, paint: Paint): readonly string[] {
  const { receipt } = view;
  const dry = receipt.dry_run ? ' (dry run)' : '';
  return [
    paint.strong(`Receipt of ${receipt.request_id}`),
    `${receipt.right}${dry}, ${receipt.state} ${shortTime(receipt.completed_at)} UTC`,
    '',
    ...table<System>({
      columns: [
        { title: 'SYSTEM', value: (system) => system.system, paint: paint.strong },
        { title: 'RECORDS', value: (system) => sum(system.counts).toLocaleString('en-US'), align: 'right' },
        { title: 'READ AGAIN', value: (system) => shortTime(system.verified_at) || '–' },
        { title: 'GONE', value: (system) => levelOf(system) ?? '–' },
        { title: 'BY', value: (system) => BY[system.assurance] },
      ],
      rows: receipt.systems,
      width,
      paint,
    }),
    ...(receipt.retained.length === 0 ? [] : ['', ...retainedLines(receipt.retained, width, paint)]),
    ...(receipt.residuals.length === 0 ? [] : ['', ...residualLines(receipt.residuals, width, paint)]),
    '',
    paint.quiet(
      `Signed; refers to ${count(receipt.audit_leaf_hashes.length, 'audit entry', 'audit entries')} and plan ${receipt.plan_hash.slice(0, 12)}.`,
    ),
    paint.quiet(
      view.log === null
        ? 'The audit log does not have it yet; ask again in a moment for the proof.'
        : `Entry ${view.log.entry.id} of the audit log has its hash. Anybody can verify it: docs/verify.md.`,
    ),
  ];
}

type Retained = api.ReceiptView['receipt']['retained'][number];

export function retainedLines(retained: readonly Retained[], width: number, paint: Paint): readonly string[] {
  return table<Retained>({
    columns: [
      { title: 'KEPT', value: (entry) => `${entry.system}.${entry.collection}` },
      { title: 'RECORDS', value: (entry) => entry.count.toLocaleString('en-US'), align: 'right' },
      { title: 'BECAUSE', value: (entry) => entry.reason, flexible: true },
      { title: 'UNTIL', value: (entry) => entry.until?.slice(0, 10) ?? 'not known' },
    ],
    rows: retained,
    width,
    paint,
  });
}

type Residual = api.ReceiptView['receipt']['residuals'][number];

function residualLines(residuals: readonly Residual[], width: number, paint: Paint): readonly string[] {
  return table<Residual>({
    columns: [
      { title: 'ENDS LATER', value: (entry) => entry.system },
      { title: 'WHAT', value: (entry) => entry.what, flexible: true },
      { title: 'UNTIL', value: (entry) => entry.until?.slice(0, 10) ?? 'not known' },
    ],
    rows: residuals,
    width,
    paint,
  });
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, number) => total + number, 0);
}
