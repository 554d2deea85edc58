import { looksPersonal } from '@habeas/contract/declarations';
import { type DeclarationGauge, declarationGauge, exposition, type Labels } from './gauge.ts';
import { assertLabelValue } from './label-value.ts';

/** Any registry that takes metrics: the one of prom-client or of \@prometheus-io/client. */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
}

export interface DeclareOptions {
  /** Who owns the service. */
  readonly team: string;
  /** The service's name, as other teams name it in their `transmits`. */
  readonly service: string;
  /** Data types that it keeps, such as `email`. */
  readonly stores?: readonly string[];
  /** Service → data types that it sends there. */
  readonly transmits?: Readonly<Record<string, readonly string[]>>;
  /** Where the service answers for personal data. `protocol` is `grpc` unless said otherwise. */
  readonly client?: { readonly address: string; readonly protocol?: 'grpc' | 'http' };
  /** Where the process' other metrics are. Without it, `metrics()` has the text. */
  readonly registry?: MetricsRegistry;
}

/** What was declared. */
export interface Declared {
  readonly gauges: readonly DeclarationGauge[];
  /** The declarations alone, in the Prometheus text format 0.0.4. */
  metrics(): string;
}

const HELP = {
  store: 'Personal data that the service stores. Always 1.',
  transmit: 'Personal data that the service sends to another. Always 1.',
  client: 'Where the team answers for personal data. Always 1.',
} as const;

/**
 * Publishes what the service does with personal data as gauges with the value 1: `store`, `transmit` and `client`.
 * Throws a TypeError for a label value that looks like personal data, and what the registry throws for a name that is taken.
 */
export function declare(options: DeclareOptions): Declared {
  const { team, service } = options;
  const labelled = (label: string, value: string): string => {
    assertLabelValue({ label, value, service: label === 'service' ? 'that is declared' : service });
    return value;
  };
  labelled('service', service);
  labelled('team', team);
  const lines: Readonly<Record<keyof typeof HELP, readonly Labels[]>> = {
    store: unique(options.stores ?? []).map((type) => ({
      team,
      service,
      data_type: labelled('data_type', type),
    })),
    transmit: Object.entries(options.transmits ?? {}).flatMap(([to, types]) =>
      unique(types).map((type) => ({
        team,
        service,
        to_service: labelled('to_service', to),
        data_type: labelled('data_type', type),
      })),
    ),
    client: options.client === undefined ? [] : [clientLabels(options.client, { team, service })],
  };
  const names = Object.keys(HELP) as (keyof typeof HELP)[];
  const gauges = names
    .filter((name) => lines[name].length > 0)
    .map((name) => declarationGauge(name, HELP[name], lines[name]));
  for (const gauge of gauges) {
    // Each library types its metrics by its own classes; both take any object of this shape.
    options.registry?.registerMetric(gauge as never);
  }
  return {
    gauges,
    metrics: () => names.map((name) => exposition(name, HELP[name], lines[name])).join(''),
  };
}

function clientLabels(
  client: { readonly address: string; readonly protocol?: 'grpc' | 'http' },
  owner: { readonly team: string; readonly service: string },
): Labels {
  // An address may well be an IP: it points at a server and not at a person.
  if (!/^[^\s/@]+:\d{1,5}$/.test(client.address)) {
    throw new TypeError(
      `declare(): client.address of service ${owner.service} must be "host:port", without a scheme.`,
    );
  }
  // The server takes long numbers in host names, which orchestrators make, but no UUID, which may be a person's.
  if (looksPersonal(client.address) === 'a UUID') {
    throw new TypeError(
      `declare(): client.address of service ${owner.service} looks like a UUID. Labels are public to everyone who reads metrics.`,
    );
  }
  return { ...owner, address: client.address, protocol: client.protocol ?? 'grpc' };
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
