export const contractFolder: string;
export const baseline: string;
export function buf(...args: readonly string[]): string;
export function generate(folder: string): void;
