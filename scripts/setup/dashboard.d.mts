export function ensureDashboard(root: string, node: string): Promise<void>;
