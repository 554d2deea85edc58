import { HabeasError } from '../../foundation/index.ts';
import type { Residual } from '../connector.ts';
import type { DynamoDb } from './dynamodb-calls.ts';
import type { TableShape } from './table-shape.ts';

const DAY_MILLISECONDS = 86_400_000;
const STREAM_DAYS = 1;
const MOST_RECOVERY_DAYS = 35;

/** Copies of a table that DynamoDB itself keeps, by its settings; where these may not be read, that is told. */
export async function residualsOf(
  client: DynamoDb,
  {
    table,
    shape,
    now,
    signal,
  }: {
    readonly table: string;
    readonly shape: TableShape;
    readonly now: Date;
    readonly signal: AbortSignal;
  },
): Promise<readonly Residual[]> {
  const after = (days: number) => new Date(now.getTime() + days * DAY_MILLISECONDS).toISOString();
  const residuals: Residual[] = [];
  if (shape.hasStream)
    residuals.push({
      what: `The stream of the table ${table} has deleted items for a day.`,
      until: after(STREAM_DAYS),
      copy: 'stream',
    });
  try {
    const { ContinuousBackupsDescription: continuous } = (await client.ask(
      'DescribeContinuousBackups',
      { TableName: table },
      signal,
    )) as { readonly ContinuousBackupsDescription?: Continuous };
    const recovery = continuous?.PointInTimeRecoveryDescription;
    if (recovery?.PointInTimeRecoveryStatus === 'ENABLED')
      residuals.push({
        what: `Point-in-time recovery of the table ${table}.`,
        until: after(recovery.RecoveryPeriodInDays ?? MOST_RECOVERY_DAYS),
        copy: 'point-in-time-recovery',
      });
    const { BackupSummaries } = await client.ask('ListBackups', { TableName: table }, signal);
    if (Array.isArray(BackupSummaries) && BackupSummaries.length > 0)
      residuals.push({
        what: `Backups of the table ${table} on demand (${BackupSummaries.length} or more), until somebody deletes them.`,
        until: null,
        copy: 'backups',
      });
  } catch (error) {
    if (!(error instanceof HabeasError) || error.code !== 'SYSTEM_REFUSED') throw error;
    residuals.push({
      what: `Backups of the table ${table}, which Habeas may not read about.`,
      until: null,
      copy: 'backups',
    });
  }
  return residuals;
}

interface Continuous {
  readonly PointInTimeRecoveryDescription?: {
    readonly PointInTimeRecoveryStatus?: string;
    readonly RecoveryPeriodInDays?: number;
  };
}

/** The attribute that says when items of a table end by themselves; undefined: they stay. */
export async function expiryAttribute(
  client: DynamoDb,
  table: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { TimeToLiveDescription: described } = (await client.ask(
    'DescribeTimeToLive',
    { TableName: table },
    signal,
  )) as {
    readonly TimeToLiveDescription?: { readonly TimeToLiveStatus?: string; readonly AttributeName?: string };
  };
  return described?.TimeToLiveStatus === 'ENABLED' ? described.AttributeName : undefined;
}
