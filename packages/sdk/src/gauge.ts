/** One line of a gauge: its labels. The value is always 1. */
export type Labels = Readonly<Record<string, string>>;

/**
 * A gauge that says the same for the whole life of the process, in the shape that a registry of prom-client or
 * \@prometheus-io/client takes with `registerMetric`.
 */
export interface DeclarationGauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge';
  readonly aggregator: 'first';
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: 'gauge';
    readonly aggregator: 'first';
    readonly values: { readonly value: 1; readonly labels: Record<string, string> }[];
  }>;
  /** Registries call it between tests; a declaration stays. */
  reset(): void;
}

export function declarationGauge(name: string, help: string, lines: readonly Labels[]): DeclarationGauge {
  const head = { name, help, type: 'gauge', aggregator: 'first' } as const;
  return {
    ...head,
    async get() {
      return { ...head, values: lines.map((labels) => ({ value: 1, labels: { ...labels } })) };
    },
    reset() {
      return undefined;
    },
  };
}

/** One gauge in the Prometheus text format 0.0.4. */
export function exposition(name: string, help: string, lines: readonly Labels[]): string {
  if (lines.length === 0) return '';
  const rows = lines.map((labels) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabelValue(value)}"`);
    return `${name}{${pairs.join(',')}} 1\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${rows.join('')}`;
}

function escapeLabelValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
