import { audit } from './audit.ts';
import { auditTamper } from './audit-tamper.ts';
import { badSystem } from './bad-system.ts';
import type { Benchmark } from './benchmark.ts';
import { chaos } from './chaos.ts';
import { collectMemory } from './collect-memory.ts';
import { consentEnforce } from './consent-enforce.ts';
import { consentFile } from './consent-file.ts';
import { consentHttp } from './consent-http.ts';
import { consentIngest } from './consent-ingest.ts';
import { consentLargeFile } from './consent-large-file.ts';
import { consentRewrite } from './consent-rewrite.ts';
import { consentTag } from './consent-tag.ts';
import { dashboardMap } from './dashboard-map.ts';
import { eraseRows } from './erase-rows.ts';
import { failpoints } from './failpoints.ts';
import { fanOut } from './fan-out.ts';
import { fileTree } from './file-tree.ts';
import { firstMinute } from './first-minute.ts';
import { importList } from './import.ts';
import { logSearch } from './log-search.ts';
import { mapAnswers } from './map-answers.ts';
import { mapPoll } from './map-poll.ts';
import { parquet } from './parquet.ts';
import { planner } from './planner.ts';
import { requestList } from './request-list.ts';
import { states } from './states.ts';
import { virtualDays } from './virtual-days.ts';

/** All of them, the quick ones first. */
export const BENCHMARKS: readonly Benchmark[] = [
  planner,
  consentTag,
  dashboardMap,
  consentRewrite,
  consentIngest,
  consentHttp,
  consentFile,
  consentLargeFile,
  mapAnswers,
  requestList,
  mapPoll,
  fileTree,
  logSearch,
  parquet,
  audit,
  ...eraseRows,
  consentEnforce,
  importList,
  firstMinute,
  collectMemory,
  auditTamper,
  states,
  fanOut,
  badSystem,
  chaos,
  failpoints,
  virtualDays,
];
