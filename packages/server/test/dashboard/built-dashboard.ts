import { fileURLToPath } from 'node:url';
import { ensureDashboard } from '../../../../scripts/setup/dashboard.mjs';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Builds the dashboard unless it is what its sources say. */
export const builtDashboard = (): Promise<void> => ensureDashboard(ROOT, process.execPath);
