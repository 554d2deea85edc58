export interface OwnDeclarationsOptions {
  /** The team that runs Habeas: `map.own_team`. */
  readonly team: string;
  /** Before the name of the metric: `map.prefix`. */
  readonly prefix: string;
}

/** What Habeas itself keeps of a person while a request runs: how the person is known, and what was collected. */
const KEPT = ['email', 'phone_number', 'user_id', 'request_package'] as const;

/** What Habeas declares about itself, for its own metrics page, in the Prometheus text format. */
export function ownDeclarations({ team, prefix }: OwnDeclarationsOptions): string {
  const name = `${prefix}store`;
  const labels = (type: string) =>
    Object.entries({
      team,
      service: 'habeas',
      data_type: type,
      purpose: 'subject_requests',
      retention: 'until_forgotten',
    })
      .map(([label, value]) => `${label}="${value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`)
      .join(',');
  const lines = KEPT.map((type) => `${name}{${labels(type)}} 1\n`);
  return `# HELP ${name} Personal data that the service stores. Always 1.\n# TYPE ${name} gauge\n${lines.join('')}`;
}
